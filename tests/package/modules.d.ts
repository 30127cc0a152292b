// Installed only when the tests of the package run (tests/package/package.json).
declare module 'webpack' {
  interface Stats {
    toJson(options: object): { errors: unknown[]; warnings: unknown[] };
  }
  export default function webpack(options: object, done: (error: Error | null, stats: Stats) => void): void;
}
declare module '@angular-devkit/core' {
  export const schema: {
    CoreSchemaRegistry: new () => { addPostTransform(transform: unknown): void };
    transforms: { addUndefinedDefaults: unknown };
  };
  export const workspaces: {
    createWorkspaceHost(host: unknown): unknown;
    readWorkspace(path: string, host: unknown): Promise<{ workspace: unknown }>;
  };
}
declare module '@angular-devkit/core/node/index.js' {
  export const NodeJsSyncHost: new () => unknown;
}
declare module '@angular-devkit/architect' {
  interface Target {
    project: string;
    target: string;
    configuration?: string;
  }
  interface Run {
    /** The first that comes of it. */
    result: Promise<{ success: boolean; error?: string; baseUrl?: string }>;
    stop(): Promise<void>;
  }
  export class Architect {
    constructor(host: unknown, registry: unknown);
    scheduleTarget(target: Target, overrides: object): Promise<Run>;
  }
}
declare module '@angular-devkit/architect/node/index.js' {
  export const WorkspaceNodeModulesArchitectHost: new (workspace: unknown, root: string) => unknown;
}
