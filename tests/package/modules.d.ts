// Installed only when the tests of the package run (tests/package/package.json).
declare module 'webpack' {
  interface Stats {
    toJson(options: object): { errors: unknown[]; warnings: unknown[] };
  }
  export default function webpack(options: object, done: (error: Error | null, stats: Stats) => void): void;
}
