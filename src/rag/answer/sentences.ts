/** A sentence and where it stands in its text; `end` is exclusive and leaves trailing blanks out. */
export type Sentence = { readonly text: string; readonly start: number; readonly end: number };

/** Ends that the Unicode rules take for an end of sentence: initials, titles, a bare list number. */
const FALSE_END =
  /(?:^|[\s(])(?:\p{L}|dr|mr|mrs|ms|prof|st|vs|cf|fig|no|nr|bzw|ca|e\.g|i\.e|z\. ?B|\d{1,2})\.$/iu;
/** A line shorter than this was ended by its writer, a longer one was wrapped by an editor. */
const WRAP_COLUMN = 60;

/**
 * Splits running text into sentences by Unicode's rules (UAX 29 §5), which know the full stops of every
 * script. A line break ends a sentence, as Obsidian shows it, unless the line is as long as editors wrap.
 */
export function splitSentences(text: string): Sentence[] {
  const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
  const sentences: Sentence[] = [];
  let start: number | undefined;
  for (const { segment, index } of segmenter.segment(unwrap(text))) {
    start ??= index + (segment.length - segment.trimStart().length);
    const end = index + segment.trimEnd().length;
    if (end <= start) {
      start = undefined;
      continue;
    }
    if (FALSE_END.test(text.slice(start, end)) && !segment.endsWith('\n')) continue;
    sentences.push({ text: text.slice(start, end), start, end });
    start = undefined;
  }
  const rest = start === undefined ? '' : text.slice(start).trimEnd();
  if (start !== undefined && rest !== '') sentences.push({ text: rest, start, end: start + rest.length });
  return sentences;
}

/** Turns the line breaks of wrapped lines into blanks; offsets stay. */
function unwrap(text: string): string {
  let lineStart = 0;
  return text.replaceAll('\n', (newline, offset: number) => {
    const wrapped =
      offset - lineStart >= WRAP_COLUMN && !/^\n|^\s*(?:[-*+]|\d+[.)])\s/.test(text.slice(offset + 1));
    lineStart = offset + 1;
    return wrapped ? ' ' : newline;
  });
}
