import type { MarkdownIt, StateBlock } from 'markdown-it';

const OPEN_BRACKET = 0x5b;
const CARET = 0x5e;

function contentStart(state: StateBlock, line: number): number {
  return (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
}

function lineAt(state: StateBlock, line: number): string {
  return state.src.slice(contentStart(state, line), state.eMarks[line] ?? 0);
}

function indentAt(state: StateBlock, line: number): number {
  return (state.sCount[line] ?? 0) - state.blkIndent;
}

/** How a search for the end of display math went: the line after it, or how far none was found. */
type MathEnd = { readonly next: number } | { readonly unclosedUntil: number };

function findMathEnd(state: StateBlock, startLine: number, endLine: number): MathEnd {
  const first = lineAt(state, startLine).trimEnd();
  const second = first.indexOf('$$', 2);
  const closesHere = second > 2 && second === first.length - 2;
  if (second >= 0) return closesHere ? { next: startLine + 1 } : { unclosedUntil: startLine };
  for (let line = startLine + 1; line < endLine; line += 1) {
    if (indentAt(state, line) < 0 && !state.isEmpty(line)) return { unclosedUntil: line };
    if (lineAt(state, line).trimEnd().endsWith('$$')) return { next: line + 1 };
  }
  return { unclosedUntil: endLine };
}

/** What markdown-it hands to a block rule: the state, first line, end line and whether only to look. */
type BlockRuleArguments = [state: StateBlock, startLine: number, endLine: number, silent: boolean];

/**
 * `$$` at the start of a line up to a line that ends with `$$`. Remembers between which lines none
 * ends so: looking again from each opener would be quadratic.
 */
function createMathRule(): (...call: BlockRuleArguments) => boolean {
  const unclosed = new WeakMap<StateBlock, { readonly from: number; readonly until: number }>();
  return (...[state, startLine, endLine, silent]) => {
    const start = contentStart(state, startLine);
    if (!state.src.startsWith('$$', start) || indentAt(state, startLine) >= 4) return false;
    const known = unclosed.get(state);
    if (known && startLine >= known.from && endLine <= known.until) return false;
    const end = findMathEnd(state, startLine, endLine);
    if ('unclosedUntil' in end) {
      if (end.unclosedUntil === endLine) unclosed.set(state, { from: startLine, until: endLine });
      return false;
    }
    if (silent) return true;
    const token = state.push('math_block', '', 0);
    const text = state.getLines(startLine, end.next, state.blkIndent, false).trim();
    token.content = text.slice(2, -2).replace(/^\n|\n$/g, '');
    token.map = [startLine, end.next];
    state.line = end.next;
    return true;
  };
}

const FOOTNOTE = /^\[\^([^\]\s^[]{1,200})\]:[ \t]*/;

/** `[^label]: text`, with further lines that are indented by four, as in Pandoc. */
function footnote(...[state, startLine, endLine, silent]: BlockRuleArguments): boolean {
  const begin = contentStart(state, startLine);
  if (state.src.charCodeAt(begin) !== OPEN_BRACKET || state.src.charCodeAt(begin + 1) !== CARET) return false;
  if (indentAt(state, startLine) >= 4) return false;
  const match = FOOTNOTE.exec(lineAt(state, startLine).slice(0, 256));
  if (match === null) return false;
  if (silent) return true;
  const open = state.push('footnote_open', 'div', 1);
  open.info = match[1] ?? '';
  tokenizeFootnote(state, [startLine, endLine], begin + match[0].length);
  if (state.line <= startLine) state.line = startLine + 1;
  open.map = [startLine, state.line];
  state.push('footnote_close', 'div', -1);
  return true;
}

/** Reads the lines of a footnote as if its text began at the indent that continues it. */
function tokenizeFootnote(
  state: StateBlock,
  [startLine, endLine]: readonly [number, number],
  textStart: number,
): void {
  const { parentType, blkIndent } = state;
  const marks = [
    state.bMarks[startLine] ?? 0,
    state.tShift[startLine] ?? 0,
    state.sCount[startLine] ?? 0,
  ] as const;
  state.bMarks[startLine] = textStart;
  state.tShift[startLine] = 0;
  state.sCount[startLine] = blkIndent + 4;
  state.blkIndent += 4;
  state.parentType = 'footnote';
  state.line = startLine;
  if (!state.isEmpty(startLine)) state.md.block.tokenize(state, startLine, endLine);
  state.parentType = parentType;
  state.blkIndent = blkIndent;
  [state.bMarks[startLine], state.tShift[startLine], state.sCount[startLine]] = marks;
}

/** Adds display math and footnote definitions. */
export function addBlockRules(markdown: MarkdownIt): void {
  const interrupts = { alt: ['paragraph', 'reference', 'blockquote', 'list'] };
  markdown.block.ruler.after('blockquote', 'math_block', createMathRule(), interrupts);
  markdown.block.ruler.before('reference', 'footnote', footnote, { alt: ['paragraph', 'reference'] });
}
