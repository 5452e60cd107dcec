import { ObeliskError } from '../shared/errors.ts';

/** A line and column in the configuration file, both from 1. */
export type Place = { readonly line: number; readonly column: number };

/** One thing that is wrong with the configuration file. */
export type ConfigProblem = Place & { readonly message: string };

const SHOWN = 10;

/**
 * Makes one error of every problem found, in the order of the file, so that a person corrects a
 * file once and not once a problem.
 */
export function configError(file: string, problems: readonly ConfigProblem[]): ObeliskError {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const lines = sorted
    .slice(0, SHOWN)
    .map((problem) => `${file}:${problem.line}:${problem.column}: ${problem.message}`);
  if (sorted.length > SHOWN) lines.push(`… and ${sorted.length - SHOWN} more`);
  return new ObeliskError('config_invalid', lines.join('\n'));
}

/**
 * A key as it may be shown. What follows a colon is cut: in `{master_key:sk-…}`, where the space is
 * missing, the whole text is the key, and the secret with it.
 */
export function printableKey(key: string): string {
  const name = key.split(':', 1)[0] ?? '';
  const printable = name.replaceAll(/[^\p{L}\p{N}_.\-/ *]/gu, '?');
  return printable.length > 60 ? `${printable.slice(0, 60)}…` : printable;
}
