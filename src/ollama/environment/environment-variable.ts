/** Whose business a variable is, in the order of the tables. */
export const VARIABLE_GROUPS = [
  'server',
  'memory and speed',
  'llama-server',
  'NVIDIA (CUDA)',
  'AMD (ROCm)',
  'Vulkan',
  'Metal',
  'network',
  'client only',
  'for debugging',
  'gone',
  'never existed',
] as const;

/** One of them. */
export type VariableGroup = (typeof VARIABLE_GROUPS)[number];

/**
 * How Ollama (or what it starts) reads the text of a variable.
 * - `switch`: Go's ParseBool; a text that is no boolean counts as on.
 * - `presence`: on as soon as it is set, to whatever, `0` included.
 * - `count`, `bytes`: digits only; anything else counts as not set.
 * - `duration`: `5m`, `1h30m`, or seconds; anything else counts as not set.
 */
export type ValueKind =
  | 'text'
  | 'list'
  | 'choice'
  | 'switch'
  | 'presence'
  | 'count'
  | 'bytes'
  | 'duration'
  | 'none';

/** One environment variable of Ollama, of the programs it starts, or one that people set in vain. */
export type EnvironmentVariable = {
  readonly name: string;
  readonly group: VariableGroup;
  readonly value: ValueKind;
  /** What counts where it is not set, in words. */
  readonly default: string;
  /** One or two sentences. */
  readonly explains: string;
  /** Values that mean something, of a `choice`. */
  readonly choices?: readonly string[];
  /** First release that reads it; absent where every release does that is still in use. */
  readonly since?: string;
  /** First release that no longer reads it. */
  readonly until?: string;
  /** What to use in its place, where it has no effect. */
  readonly instead?: string;
  /** Ollama gives its own value on the command line of llama-server, which wins. */
  readonly overridden?: boolean;
  /** Platforms on which it means something; absent: all. */
  readonly platforms?: readonly NodeJS.Platform[];
  /** The value may hold a password. */
  readonly secret?: boolean;
};

/** What a row of the tables may say besides its four columns. */
type VariableMore = Partial<
  Pick<EnvironmentVariable, 'choices' | 'since' | 'until' | 'instead' | 'platforms' | 'secret' | 'overridden'>
>;

/** Makes the rows of one group. What a row says of itself wins over what is said of all of them. */
export function rowsOf(
  ofAll: Pick<EnvironmentVariable, 'group'> & VariableMore,
  rows: readonly (readonly [
    name: string,
    value: ValueKind,
    fallback: string,
    explains: string,
    more?: VariableMore,
  ])[],
): readonly EnvironmentVariable[] {
  return rows.map(([name, value, fallback, explains, more]) => ({
    ...ofAll,
    name,
    value,
    default: fallback,
    explains,
    ...more,
  }));
}
