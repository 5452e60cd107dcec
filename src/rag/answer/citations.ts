import { createMarkdownScanner, type MarkdownScanner } from './markdown-scanner.ts';

/** A citation mark `[n]` in a finished text; offsets count UTF-16 units, `end` is exclusive. */
export type Citation = { readonly source: number; readonly start: number; readonly end: number };

/** Checks the citation marks of a text while it streams. */
export type CitationFilter = {
  /** Takes the next piece and returns what can be shown of it. */
  push(delta: string): string;
  /** Returns what was held back. */
  end(): string;
  /** Valid marks of the text returned so far. */
  citations(): readonly Citation[];
  /** Numbers that were cited but do not exist, in order of appearance. */
  invalid(): readonly number[];
};

/** `[1]`, `[^1]`, `[[1]]`, `[1, 2]`, `[1-3]`, `【1†source】`, with the blanks before it. */
const MARK =
  /^(\s*)(?:\[\[([\d,; \u2013-]+)\]\]|\[\^?([\d,;^ \u2013-]+)\]|【([\d,; \u2013-]+)(?:†[^】\n]*)?】)$/u;
/** What may still become a mark. */
const MARK_PREFIX =
  /^[ \t\u00a0]*(?:\[(?:\^?[\d,;^ \u2013-]*\]?|\[[\d,; \u2013-]*\]?\]?)|【[\d,; \u2013-]*(?:†[^】\n]*)?】?)?$/u;
/** A mark is short: whatever is longer is text, and memory stays bounded. */
const LONGEST_MARK = 64;
/** Years and larger numbers in brackets are text, not citations. */
const LARGEST_NUMBER = 99;
/** `[1-9]` may stand for nine sources, `[1-50]` is an interval. */
const WIDEST_RANGE = 10;

/** The numbers of `1, 3-5`; undefined when it reads as something other than a list of sources. */
function parseNumbers(list: string): number[] | undefined {
  const numbers: number[] = [];
  for (const part of list.split(/[,;]/)) {
    const range = /^\s*\^?(\d{1,3})(?:\s*[\u2013-]\s*\^?(\d{1,3}))?\s*$/.exec(part);
    if (range === null) return undefined;
    const first = Number(range[1]);
    const last = range[2] === undefined ? first : Number(range[2]);
    if (first < 1 || last > LARGEST_NUMBER || last < first || last - first >= WIDEST_RANGE) return undefined;
    for (let number = first; number <= last; number += 1) numbers.push(number);
  }
  return [...new Set(numbers)];
}

/** What a held mark turns out to be. */
type Resolved = { readonly blanks: string; readonly numbers: readonly number[] };

function readMark(held: string): Resolved | undefined {
  const mark = MARK.exec(held);
  const numbers = mark === null ? undefined : parseNumbers(mark[2] ?? mark[3] ?? mark[4] ?? '');
  return numbers === undefined ? undefined : { blanks: mark?.[1] ?? '', numbers };
}

const isBlank = (character: string): boolean => /[ \t\u00a0]/.test(character);

class StreamFilter implements CitationFilter {
  readonly #scanner: MarkdownScanner = createMarkdownScanner();
  readonly #citations: Citation[] = [];
  readonly #invalid: number[] = [];
  readonly #sourceCount: number;
  #held = '';
  #length = 0;
  #swallowBlanks = false;

  constructor(sourceCount: number) {
    this.#sourceCount = sourceCount;
  }

  push(delta: string): string {
    let shown = '';
    for (const character of delta) shown += this.#take(character);
    return shown;
  }

  end(): string {
    return this.#release('');
  }

  citations(): readonly Citation[] {
    return this.#citations;
  }

  invalid(): readonly number[] {
    return this.#invalid;
  }

  #take(character: string): string {
    if (this.#held !== '' && this.#held.length < LONGEST_MARK && MARK_PREFIX.test(this.#held + character)) {
      this.#held += character;
      return '';
    }
    const shown = this.#release(character);
    if (this.#swallowBlanks && isBlank(character)) return shown;
    this.#swallowBlanks = false;
    if (this.#mayOpen(character)) {
      this.#held = character;
      return shown;
    }
    return shown + this.#emit(character);
  }

  #mayOpen(character: string): boolean {
    if (isBlank(character)) return !this.#scanner.atLineStart() && this.#scanner.inText();
    return (character === '[' || character === '【') && this.#scanner.inText();
  }

  /** Lets go of what was held, knowing what follows it: `(` makes a mark the text of a link. */
  #release(next: string): string {
    const text = this.#held;
    this.#held = '';
    const mark = next === '(' ? undefined : readMark(text);
    return mark === undefined ? this.#emit(text) : this.#cite(mark);
  }

  #cite({ blanks, numbers }: Resolved): string {
    const valid = numbers.filter((number) => number <= this.#sourceCount);
    this.#invalid.push(...numbers.filter((number) => number > this.#sourceCount));
    if (valid.length === 0) {
      this.#swallowBlanks = this.#scanner.atLineStart();
      return '';
    }
    let shown = this.#emit(blanks);
    for (const source of valid) {
      const start = this.#length;
      shown += this.#emit(`[${String(source)}]`);
      this.#citations.push({ source, start, end: this.#length });
    }
    return shown;
  }

  #emit(text: string): string {
    for (const character of text) this.#scanner.step(character);
    this.#length += text.length;
    return text;
  }
}

/**
 * Makes a filter for an answer that was given the sources `1…sourceCount`. Valid marks leave as `[n]`, one
 * for each source, so that every client can find them; marks of sources that were never given are
 * removed together with the blank before them. Code, links (`[1](…)`) and escaped brackets are left
 * alone. The result does not depend on how the text was cut into deltas.
 */
export function createCitationFilter(sourceCount: number): CitationFilter {
  return new StreamFilter(sourceCount);
}
