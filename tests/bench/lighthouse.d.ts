/** What page.ts uses of Lighthouse, which is installed only when the benchmark runs. */
declare module 'lighthouse' {
  interface Category {
    title: string;
    /** 0 to 1; null if it could not be measured. */
    score: number | null;
    auditRefs: { id: string; weight: number }[];
  }
  interface Audit {
    title: string;
    score: number | null;
    displayValue?: string;
  }
  interface Options {
    port: number;
    logLevel: 'error';
    output: 'json';
  }
  export const desktopConfig: object;
  export default function lighthouse(
    url: string,
    options: Options,
    config?: object,
  ): Promise<{ lhr: { categories: Record<string, Category>; audits: Record<string, Audit> } } | undefined>;
}
