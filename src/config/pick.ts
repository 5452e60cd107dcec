import { ObeliskError } from '../shared/errors.ts';
import type { ValueOrigin } from './settings.ts';
import type { Environment } from './substitute.ts';
import type { Path, YamlTree } from './yaml-tree.ts';

/** A value from one of the four places, or undefined where that place does not set it. */
export type Candidate<Value> = { readonly value: Value; readonly origin: ValueOrigin } | undefined;

/** Where the file's values stand; undefined when there is no file. */
export type FileFacts = { readonly file: string; readonly tree: YamlTree } | undefined;

/**
 * Chooses each setting by the order flags, file, environment, default, and remembers where it came
 * from.
 */
export class Picker {
  readonly origins: Map<string, ValueOrigin> = new Map();
  readonly #facts: FileFacts;
  readonly #environment: Environment;

  constructor(facts: FileFacts, environment: Environment) {
    this.#facts = facts;
    this.#environment = environment;
  }

  /** The first candidate that is set, else `fallback`. */
  pick<Value>(setting: string, candidates: readonly Candidate<Value>[], fallback: Value): Value {
    const chosen = candidates.find((candidate) => candidate !== undefined);
    this.origins.set(setting, chosen?.origin ?? { kind: 'default' });
    return chosen === undefined ? fallback : chosen.value;
  }

  flag<Value>(name: string, value: Value | undefined): Candidate<Value> {
    return value === undefined ? undefined : { value, origin: { kind: 'flag', name } };
  }

  file<Value>(path: Path, value: Value | undefined): Candidate<Value> {
    if (value === undefined || this.#facts === undefined) return undefined;
    return { value, origin: this.fileOrigin(path) };
  }

  /** Origin of a path in the file; only called where there is a file. */
  fileOrigin(path: Path): ValueOrigin {
    const facts = this.#facts;
    if (facts === undefined) return { kind: 'default' };
    return { kind: 'file', file: facts.file, line: facts.tree.placeOf(path).line };
  }

  /**
   * The first of the variables that is set; an empty one counts as unset, as compose files leave it.
   * @throws ObeliskError `config_invalid` naming the variable when `parse` finds a problem.
   */
  variable<Value>(
    names: readonly string[],
    parse: (text: string) => { readonly value: Value } | { readonly problem: string },
  ): Candidate<Value> {
    for (const name of names) {
      const text = this.#environment[name]?.trim();
      if (text === undefined || text === '') continue;
      const parsed = parse(text);
      if ('value' in parsed) return { value: parsed.value, origin: { kind: 'environment', name } };
      throw new ObeliskError('config_invalid', `the environment variable ${name} ${parsed.problem}`);
    }
    return undefined;
  }
}

/** Takes a variable's text as it is. */
export function asText(text: string): { readonly value: string } {
  return { value: text };
}

/** Makes a parser for one of a few words. */
export function asOneOf<Word extends string>(
  words: readonly Word[],
): (text: string) => { readonly value: Word } | { readonly problem: string } {
  return (text) => {
    const value = words.find((word) => word === text.toLowerCase());
    return value === undefined ? { problem: `must be one of ${words.join(', ')}` } : { value };
  };
}

/** A text of the file that has no other place and no default. */
export function optional(
  picker: Picker,
  path: readonly string[],
  value: string | undefined,
): string | undefined {
  return picker.pick<string | undefined>(path.join('.'), [picker.file(path, value)], undefined);
}
