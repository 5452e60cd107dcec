import { findVariable, isRelevantVariable } from './environment-variables.ts';

/** The relevant part of the environment of one Ollama server, as far as it can be seen from here. */
export type HostEnvironment = {
  /** What it was read from; `unknown` where nothing could be. */
  readonly source: 'process' | 'systemd' | 'container' | 'launchd' | 'registry' | 'unknown';
  /** One sentence: where it was read, or why it could not be. */
  readonly explanation: string;
  /** By name. Values that may hold a password are replaced. */
  readonly values: ReadonlyMap<string, string>;
};

/** What looking at this machine takes. Each gives undefined where it is not there or not allowed. */
export type MachineLook = {
  readonly platform: NodeJS.Platform;
  /** Addresses of this machine besides loopback. */
  readonly ownAddresses: ReadonlySet<string>;
  readonly readText: (file: string) => Promise<string | undefined>;
  readonly list: (folder: string) => Promise<readonly string[] | undefined>;
  readonly readLink: (file: string) => Promise<string | undefined>;
  /** Standard output of a program that ended well. */
  readonly run: (program: string, given: readonly string[]) => Promise<string | undefined>;
};

/** What one way of looking found. */
export type Sight =
  | { readonly kind: 'seen'; readonly environment: HostEnvironment }
  /** Why it could not be seen, for the explanation. */
  | { readonly kind: 'hidden'; readonly reason: string };

/** What stands in the place of a value that may hold a password. */
export const HIDDEN_VALUE = '(hidden)';

/** Keeps what is relevant of an environment, without passwords. */
export function relevantValues(
  entries: Iterable<readonly [name: string, value: string]>,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of entries) {
    if (!isRelevantVariable(name)) continue;
    values.set(name, findVariable(name)?.secret === true && value !== '' ? HIDDEN_VALUE : value);
  }
  return values;
}
