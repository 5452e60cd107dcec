/** Longest pattern of a user that is run as a regular expression. */
const LONGEST_PATTERN = 200;

/** A quantified group that holds a quantifier or an alternative: the shape that backtracks without end. */
const RISKY = /\((?:[^()\\]|\\.)*(?:[*+}?]|\|)(?:[^()\\]|\\.)*\)(?:[*+]|\{\d+,)|\\[1-9]|\(\?<?[=!]/;

/** More quantifiers without a limit than this in a row cost a power of the path's length. */
const MOST_QUANTIFIERS = 3;

/** Obsidian's excluded files, compiled. */
export type IgnoreFilters = {
  /** Whether a vault path (`/` between folders, no `/` at the end) is excluded. */
  readonly ignores: (path: string) => boolean;
  /** Filters that were not used, with why. */
  readonly rejected: readonly { readonly filter: string; readonly reason: string }[];
};

/**
 * Compiles Obsidian's `userIgnoreFilters`: a plain filter excludes paths that begin with it
 * (`Archive/`), one between slashes is a regular expression. Expressions that are invalid or could
 * backtrack without end are reported, not run.
 */
export function compileIgnoreFilters(filters: readonly string[]): IgnoreFilters {
  const prefixes: string[] = [];
  const patterns: RegExp[] = [];
  const rejected: { filter: string; reason: string }[] = [];
  for (const filter of filters) {
    if (filter.length > 2 && filter.startsWith('/') && filter.endsWith('/')) {
      const pattern = compile(filter.slice(1, -1));
      if (typeof pattern === 'string') rejected.push({ filter, reason: pattern });
      else patterns.push(pattern);
    } else if (filter.trim() !== '') prefixes.push(filter.normalize('NFC').toLowerCase());
  }
  return {
    ignores: (path) => {
      const folded = `${path.normalize('NFC').toLowerCase()}/`;
      return (
        prefixes.some((prefix) => folded.startsWith(prefix)) || patterns.some((pattern) => pattern.test(path))
      );
    },
    rejected,
  };
}

function compile(source: string): RegExp | string {
  if (source.length > LONGEST_PATTERN) return `the expression is longer than ${LONGEST_PATTERN} characters`;
  const quantifiers = source.match(/[*+]|\{\d+,\}/g)?.length ?? 0;
  if (quantifiers > MOST_QUANTIFIERS || RISKY.test(source)) return 'the expression could take unbounded time';
  try {
    return new RegExp(source, 'i');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
