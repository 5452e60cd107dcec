const MARKS = /\p{M}+/gu;
const ASCII = /^[\0-\x7f]*$/;

/** Latin letters that Unicode does not decompose into a base letter and a mark. */
const LATIN_LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
  ħ: 'h',
  ŋ: 'n',
  ə: 'e',
};
const LATIN_LETTER = /[ßæœøđðþłıħŋə]/gu;

/** Whether a text has ASCII characters only, for which all folding is lower-casing. */
export function isAscii(text: string): boolean {
  return ASCII.test(text);
}

/** Removes combining marks; the rest is composed again, so that Hangul stays syllables. */
export function withoutMarks(text: string): string {
  return text.normalize('NFD').replace(MARKS, '').normalize('NFC');
}

/** Folds a lower-case Latin word to its bare letters (`größe` to `grosse`, `ığdır` to `igdir`). */
export function foldLatin(word: string): string {
  if (isAscii(word)) return word;
  return withoutMarks(word).replace(LATIN_LETTER, (letter) => LATIN_LETTERS[letter] ?? letter);
}

/** Folds Greek's final sigma and the marks of Greek, Cyrillic, Armenian and Georgian words. */
export function foldPrefixScript(word: string): string {
  return withoutMarks(word).replaceAll('ς', 'σ');
}

/** Folds Arabic: vowel signs, hamza carriers, elongation, and the letters Persian and Urdu write otherwise. */
export function foldArabic(word: string): string {
  return withoutMarks(word)
    .replaceAll('\u0640', '')
    .replaceAll('\u0649', '\u064a')
    .replaceAll('\u06cc', '\u064a')
    .replaceAll('\u06a9', '\u0643')
    .replaceAll('\u0629', '\u0647');
}

const HEBREW_FINAL_LETTERS: Readonly<Record<string, string>> = { ך: 'כ', ם: 'מ', ן: 'נ', ף: 'פ', ץ: 'צ' };

/** Folds Hebrew: points removed, final letters as they are written inside a word. */
export function foldHebrew(word: string): string {
  return withoutMarks(word).replace(/[ךםןףץ]/gu, (letter) => HEBREW_FINAL_LETTERS[letter] ?? letter);
}

const DIGIT_ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50, 0x0ed0, 0x1040, 0x17e0];

/** Writes decimal digits of other scripts as ASCII digits. */
export function foldDigits(text: string): string {
  return text.replace(/[^\P{Nd}0-9]/gu, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    const zero = DIGIT_ZEROS.find((start) => code >= start && code < start + 10);
    return zero === undefined ? digit : String(code - zero);
  });
}

/**
 * Brings a text into the one form in which it is cut into words: NFKC, invisible joiners removed.
 * NFKC takes the Thai and Lao vowel AM apart, which the runtime's word dictionaries do not know.
 */
export function normalizeText(text: string): string {
  if (isAscii(text)) return text;
  const composed = text
    .normalize('NFKC')
    .replaceAll('\u0e4d\u0e32', '\u0e33')
    .replaceAll('\u0ecd\u0eb2', '\u0eb3')
    .replace(/\u00ad|\u200d|\u2060|\ufeff/gu, '')
    .replace(/(?<=[\u0900-\u0dff])\u200c/gu, '');
  return foldDigits(composed);
}
