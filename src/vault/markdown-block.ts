import type { MarkdownIt, StateBlock } from 'markdown-it';

const DOLLAR = 0x24;
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

/** End (exclusive) of display math that starts with `$$` on its line; `undefined` when it does not close. */
function mathBlock(state: StateBlock, startLine: number, endLine: number): number | undefined {
  if (indentAt(state, startLine) >= 4) return undefined;
  const first = lineAt(state, startLine).trimEnd();
  if (!first.startsWith('$$')) return undefined;
  const second = first.indexOf('$$', 2);
  if (second >= 0) return second > 2 && second === first.length - 2 ? startLine + 1 : undefined;
  for (let line = startLine + 1; line < endLine; line += 1) {
    if (indentAt(state, line) < 0 && !state.isEmpty(line)) return undefined;
    if (lineAt(state, line).trimEnd().endsWith('$$')) return line + 1;
  }
  return undefined;
}

/** What markdown-it hands to a block rule: the state, first line, end line and whether only to look. */
type BlockRuleArguments = [state: StateBlock, startLine: number, endLine: number, silent: boolean];

/** Remembers, per document, from which line on no block closes: trying each opener again would be quadratic. */
function createMathRule(): (...call: BlockRuleArguments) => boolean {
  const open = new WeakMap<StateBlock, number>();
  return (...[state, startLine, endLine, silent]) => {
    if (state.src.charCodeAt(contentStart(state, startLine)) !== DOLLAR) return false;
    const unclosed = state.level === 0 ? open.get(state) : undefined;
    if (unclosed !== undefined && unclosed <= startLine) return false;
    const next = mathBlock(state, startLine, endLine);
    if (next === undefined) {
      if (state.level === 0 && lineAt(state, startLine).trim() === '$$') open.set(state, startLine);
      return false;
    }
    if (silent) return true;
    const token = state.push('math_block', '', 0);
    const text = state.getLines(startLine, next, state.blkIndent, false).trim();
    token.content = text.slice(2, -2).replace(/^\n|\n$/g, '');
    token.map = [startLine, next];
    state.line = next;
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
