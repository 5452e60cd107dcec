/** How words of a script are turned into index terms. `mark` takes the treatment of what it stands on. */
export type ScriptClass =
  /** Latin letters and digits: English stem, then a cut. */
  | 'latin'
  /** Alphabets of languages that inflect at the end (Cyrillic, Greek, Armenian, Georgian): a prefix. */
  | 'prefix'
  /** Written without vowels, inflected on both sides: grams of a word. */
  | 'arabic'
  | 'hebrew'
  /** Brahmic scripts of India: vowel signs and joiners dropped. */
  | 'indic'
  /** Han and kana, written without blanks: bigrams. */
  | 'ideographic'
  | 'hangul'
  /** Written without blanks, words from a dictionary of the runtime: Thai, Lao, Burmese, Khmer. */
  | 'segmented'
  | 'mark'
  | 'other';

type Range = readonly [first: number, last: number, script: ScriptClass];

/** Unicode blocks in ascending order; what lies between is `other`. */
const RANGES: readonly Range[] = [
  [0x0000, 0x02ff, 'latin'],
  [0x0300, 0x036f, 'mark'],
  [0x0370, 0x058f, 'prefix'],
  [0x0590, 0x05ff, 'hebrew'],
  [0x0600, 0x06ff, 'arabic'],
  [0x0750, 0x077f, 'arabic'],
  [0x0870, 0x08ff, 'arabic'],
  [0x0900, 0x0dff, 'indic'],
  [0x0e00, 0x0eff, 'segmented'],
  [0x1000, 0x109f, 'segmented'],
  [0x10a0, 0x10ff, 'prefix'],
  [0x1100, 0x11ff, 'hangul'],
  [0x1780, 0x17ff, 'segmented'],
  [0x1ab0, 0x1aff, 'mark'],
  [0x1c80, 0x1cbf, 'prefix'],
  [0x1dc0, 0x1dff, 'mark'],
  [0x1e00, 0x1eff, 'latin'],
  [0x1f00, 0x1fff, 'prefix'],
  [0x20d0, 0x20ff, 'mark'],
  [0x2c60, 0x2c7f, 'latin'],
  [0x2d00, 0x2d2f, 'prefix'],
  [0x2de0, 0x2dff, 'prefix'],
  [0x2e80, 0x303c, 'ideographic'],
  [0x3040, 0x312f, 'ideographic'],
  [0x3130, 0x318f, 'hangul'],
  [0x31a0, 0x9fff, 'ideographic'],
  [0xa640, 0xa69f, 'prefix'],
  [0xa720, 0xa7ff, 'latin'],
  [0xa8e0, 0xa8ff, 'indic'],
  [0xa9e0, 0xa9ff, 'segmented'],
  [0xaa60, 0xaa7f, 'segmented'],
  [0xac00, 0xd7ff, 'hangul'],
  [0xf900, 0xfaff, 'ideographic'],
  [0xfb1d, 0xfb4f, 'hebrew'],
  [0xfb50, 0xfdff, 'arabic'],
  [0xfe00, 0xfe2f, 'mark'],
  [0xfe70, 0xfeff, 'arabic'],
  [0x20000, 0x3ffff, 'ideographic'],
];

/** Says how a code point is treated; binary search over the Unicode blocks. */
export function scriptOf(codePoint: number): ScriptClass {
  if (codePoint < 0x300) return 'latin';
  let low = 0;
  let high = RANGES.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = RANGES[middle];
    if (range === undefined) break;
    if (codePoint < range[0]) high = middle - 1;
    else if (codePoint > range[1]) low = middle + 1;
    else return range[2];
  }
  return 'other';
}

/** A stretch of a word in one script. */
export type ScriptRun = { readonly script: ScriptClass; readonly text: string };

/** Cuts a word where the script changes; marks stay with the letter that they stand on. */
export function scriptRuns(word: string): ScriptRun[] {
  const runs: ScriptRun[] = [];
  let script: ScriptClass | undefined;
  let start = 0;
  let position = 0;
  for (const character of word) {
    const own = scriptOf(character.codePointAt(0) ?? 0);
    const next = own === 'mark' ? (script ?? 'latin') : own;
    if (script !== undefined && next !== script) {
      runs.push({ script, text: word.slice(start, position) });
      start = position;
    }
    script = next;
    position += character.length;
  }
  if (script !== undefined) runs.push({ script, text: word.slice(start) });
  return runs;
}
