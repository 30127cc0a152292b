export interface ServedRequest {
  method: string;
  /** Relative to the base, without the query's effect; the whole address when outside of the base. */
  path: string;
  status: number;
}

export interface Answer {
  status?: number;
  type?: string;
  body: string | Uint8Array;
  headers?: Record<string, string>;
}

export interface ServeOptions {
  root: string;
  host?: string;
  port?: number;
  strictPort?: boolean;
  base?: string;
  headers?: Record<string, string>;
  onRequest?: (request: ServedRequest) => void;
  override?: (path: string) => Answer | undefined;
}

export interface Served {
  url: string;
  port: number;
  close(): Promise<void>;
}

export function serve(options: ServeOptions): Promise<Served>;

export const siteDir: string;
