import { detachedString } from '../../shared/detached-string.ts';
import { foldLatin } from '../text/fold.ts';
import { STOP_WORDS } from '../text/stop-words.ts';
import type { Tokenizer, Word } from '../text/tokenizer.ts';

/** A note as the search needs it at hand. */
export type NoteEntry = {
  readonly id: number;
  readonly path: string;
  readonly title: string;
  readonly aliases: readonly string[];
};

/** One reading of one name of a note: its different terms, function words left out. */
export type NameEntry = { readonly noteId: number; readonly terms: readonly string[] };

/** A word of some name as it is spelled, lower case and without marks, and its term. */
export type NameWord = {
  readonly spelling: string;
  readonly term: string;
  /** The letters of the spelling, as bits. */
  readonly letters: number;
  uses: number;
};

/** One bit for each letter that occurs (by code point modulo 32): a quick test before comparing letter by letter. */
export function letterBits(word: string): number {
  let bits = 0;
  for (let index = 0; index < word.length; index += 1) bits |= 1 << (word.charCodeAt(index) & 31);
  return bits;
}

type Known = {
  readonly note: NoteEntry;
  readonly names: readonly string[];
  readonly readings: readonly NameEntry[];
};

/** Obsidian's name of a note: its file name without `.md`. */
export function nameOfPath(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.md$/iu, '');
}

/** How names, paths and tags are compared: NFC, without regard to case. */
export function comparable(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** Every different name of a note: file name, title, aliases. */
export function namesOf(note: Pick<NoteEntry, 'path' | 'title' | 'aliases'>): string[] {
  return [...new Set([nameOfPath(note.path), note.title, ...note.aliases])].filter(
    (name) => name.trim() !== '',
  );
}

function contentWords(words: readonly Word[]): readonly Word[] {
  const content = words.filter((word) => !STOP_WORDS.has(word.text.toLowerCase()));
  return content.length > 0 ? content : words;
}

function addTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

function removeFrom<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const rest = map.get(key)?.filter((known) => known !== value) ?? [];
  if (rest.length > 0) map.set(key, rest);
  else map.delete(key);
}

/** The notes of an index and their names, in memory: names are matched whole, which FTS5 cannot do. */
export class Catalogue {
  readonly #tokenizer: Tokenizer;
  readonly #notes = new Map<number, Known>();
  readonly #byTerm = new Map<string, NameEntry[]>();
  readonly #byName = new Map<string, number[]>();
  readonly #words = new Map<string, NameWord>();

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  get size(): number {
    return this.#notes.size;
  }

  clear(): void {
    for (const map of [this.#notes, this.#byTerm, this.#byName, this.#words]) map.clear();
  }

  add(entry: NoteEntry): void {
    const { title, aliases } = entry;
    const note = { ...entry, title: detachedString(title), aliases: aliases.map(detachedString) };
    const names = namesOf(note);
    const readings = names.flatMap((name) => this.#readings(note.id, name));
    this.#notes.set(note.id, { note, names, readings });
    for (const reading of readings) for (const term of reading.terms) addTo(this.#byTerm, term, reading);
    for (const name of names) {
      addTo(this.#byName, comparable(name), note.id);
      this.#countWords(name, 1);
    }
  }

  remove(id: number): void {
    const known = this.#notes.get(id);
    if (known === undefined) return;
    this.#notes.delete(id);
    for (const reading of known.readings)
      for (const term of reading.terms) removeFrom(this.#byTerm, term, reading);
    for (const name of known.names) {
      removeFrom(this.#byName, comparable(name), id);
      this.#countWords(name, -1);
    }
  }

  get(id: number): NoteEntry | undefined {
    return this.#notes.get(id)?.note;
  }

  *notes(): Generator<NoteEntry> {
    for (const known of this.#notes.values()) yield known.note;
  }

  /** Readings of names in which a term occurs. */
  namesWith(term: string): Iterable<NameEntry> {
    return this.#byTerm.get(term) ?? [];
  }

  /** Notes of exactly this name, title or alias, without regard to case. */
  notesNamed(name: string): NoteEntry[] {
    const ids = new Set(this.#byName.get(comparable(name)));
    return [...ids].flatMap((id) => this.get(id) ?? []);
  }

  nameWords(): Iterable<NameWord> {
    return this.#words.values();
  }

  #readings(noteId: number, name: string): NameEntry[] {
    const words = contentWords(this.#tokenizer.words(name));
    const first = new Set(words.flatMap((word) => word.terms));
    const second = new Set(
      words.flatMap((word) => (word.alternates.length > 0 ? word.alternates : word.terms)),
    );
    const readings = [{ noteId, terms: [...first] }];
    if (words.some((word) => word.alternates.length > 0)) readings.push({ noteId, terms: [...second] });
    return readings.filter((reading) => reading.terms.length > 0);
  }

  #countWords(name: string, by: 1 | -1): void {
    for (const word of contentWords(this.#tokenizer.words(name))) {
      const [term] = word.terms;
      if (term === undefined || word.terms.length > 1) continue;
      const spelling = foldLatin(word.text.toLowerCase());
      const known = this.#words.get(spelling) ?? { spelling, term, letters: letterBits(spelling), uses: 0 };
      known.uses += by;
      if (known.uses > 0) this.#words.set(spelling, known);
      else this.#words.delete(spelling);
    }
  }
}
