/**
 * Scripts of one line that import another and become a worker: a worker of a `blob:` address inherits the content
 * policy, and the referrer policy, of who starts it.
 */
interface Bootstrap {
  /** The `blob:` address; typed as the constructor takes it, though it may be a TrustedScriptURL. */
  readonly address: string;
  /** Frees the line: once the worker has read it. */
  readonly forget: () => void;
}

/**
 * @param script address of the module to import
 * @param after code that runs once it has run
 */
export function bootstrapOf(script: string, after = ''): Bootstrap {
  const code = new Blob([`import ${JSON.stringify(script)};${after}`], { type: 'text/javascript' });
  const address = URL.createObjectURL(code);
  return { address: trusted(address), forget: () => URL.revokeObjectURL(address) };
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/**
 * An address as what starts workers takes it on pages that require Trusted Types: the site's, and those whose policy
 * names "dermlet" (docs/element.md).
 *
 * @param address of a script of this site, or of a line that this code has made; nothing of a stranger's
 * @returns a TrustedScriptURL where there are such, typed as the constructors take it
 */
export function trusted(address: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (!trustedTypes) return address;
  try {
    policy ??= trustedTypes.createPolicy('dermlet', { createScriptURL: (url) => url });
    return policy.createScriptURL(address);
  } catch {
    return address; // refused only where Trusted Types are required, and there the worker says so
  }
}
