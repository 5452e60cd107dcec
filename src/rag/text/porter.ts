/**
 * Porter's stemmer, from M. F. Porter, "An algorithm for suffix stripping", 1980. Written from the
 * paper's rules, with the two that its author changed since (`bli`, `logi`), in its order and its terms: `m` is the measure of a stem, *v* a vowel in it,
 * *d a double consonant at its end, *o consonant-vowel-consonant with the last not w, x or y.
 */

const VOWEL = /[aeiou]/;

function isConsonant(word: string, index: number): boolean {
  const letter = word[index] ?? '';
  if (VOWEL.test(letter)) return false;
  return letter === 'y' ? index === 0 || !isConsonant(word, index - 1) : true;
}

function measure(stem: string): number {
  let count = 0;
  let afterVowel = false;
  for (let index = 0; index < stem.length; index += 1) {
    const consonant = isConsonant(stem, index);
    if (consonant && afterVowel) count += 1;
    afterVowel = !consonant;
  }
  return count;
}

function hasVowel(stem: string): boolean {
  for (let index = 0; index < stem.length; index += 1) if (!isConsonant(stem, index)) return true;
  return false;
}

function endsInDouble(stem: string): boolean {
  const last = stem.length - 1;
  return last > 0 && stem[last] === stem[last - 1] && isConsonant(stem, last);
}

function endsInShortSyllable(stem: string): boolean {
  const last = stem.length - 1;
  if (last < 2 || 'wxy'.includes(stem[last] ?? '')) return false;
  return isConsonant(stem, last) && !isConsonant(stem, last - 1) && isConsonant(stem, last - 2);
}

type Rule = readonly [suffix: string, replacement: string];

/** Longest matching suffix decides, whether its condition holds or not (the paper's section 3). */
function replaceSuffix(word: string, rules: readonly Rule[], minimum: number): string {
  for (const [suffix, replacement] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return measure(stem) > minimum ? stem + replacement : word;
  }
  return word;
}

function stepOneA(word: string): string {
  if (word.endsWith('sses') || word.endsWith('ies')) return word.slice(0, -2);
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

function afterRemoval(stem: string): string {
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (endsInDouble(stem) && !/[lsz]$/.test(stem)) return stem.slice(0, -1);
  return measure(stem) === 1 && endsInShortSyllable(stem) ? `${stem}e` : stem;
}

function stepOneB(word: string): string {
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const stem = /^(.*)(?:ed|ing)$/.exec(word)?.[1];
  return stem !== undefined && hasVowel(stem) ? afterRemoval(stem) : word;
}

function stepOneC(word: string): string {
  return word.endsWith('y') && hasVowel(word.slice(0, -1)) ? `${word.slice(0, -1)}i` : word;
}

const STEP_TWO: readonly Rule[] = [
  ['ational', 'ate'],
  ['ization', 'ize'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['tional', 'tion'],
  ['biliti', 'ble'],
  ['entli', 'ent'],
  ['ousli', 'ous'],
  ['ation', 'ate'],
  ['alism', 'al'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['alli', 'al'],
  ['logi', 'log'],
  ['ator', 'ate'],
  ['bli', 'ble'],
  ['eli', 'e'],
];

const STEP_THREE: readonly Rule[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ness', ''],
  ['ful', ''],
];

const STEP_FOUR =
  /(?:ement|ance|ence|able|ible|ment|ant|ent|ism|ate|iti|ous|ive|ize|(?<=[st])ion|al|er|ic|ou)$/;

function stepFour(word: string): string {
  const match = STEP_FOUR.exec(word);
  if (match === null) return word;
  const stem = word.slice(0, match.index);
  return measure(stem) > 1 ? stem : word;
}

function stepFive(word: string): string {
  let stem = word;
  if (stem.endsWith('e')) {
    const shorter = stem.slice(0, -1);
    const size = measure(shorter);
    if (size > 1 || (size === 1 && !endsInShortSyllable(shorter))) stem = shorter;
  }
  return stem.endsWith('ll') && measure(stem) > 1 ? stem.slice(0, -1) : stem;
}

/** Reduces a lower-case English word to Porter's stem; words of one or two letters stay. */
export function porterStem(word: string): string {
  if (word.length < 3) return word;
  let stem = stepOneC(stepOneB(stepOneA(word)));
  stem = replaceSuffix(stem, STEP_TWO, 0);
  stem = replaceSuffix(stem, STEP_THREE, 0);
  return stepFive(stepFour(stem));
}
