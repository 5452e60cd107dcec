/** Where in Markdown a character stands, as far as a stream can tell. */
export type MarkdownScanner = {
  /** Whether the next character would stand in running text: not in code and not escaped. */
  inText(): boolean;
  /** Whether only blanks stand before the next character on its line. */
  atLineStart(): boolean;
  step(character: string): void;
};

type State = {
  mode: 'text' | 'inline' | 'fence';
  /** Length of the backtick run that opened the code span or fence. */
  length: number;
  fence: string;
  /** Whether the line that opened the fence is still being read. */
  opening: boolean;
  line: string;
  runCharacter: string;
  runLength: number;
  runStartsLine: boolean;
  escaped: boolean;
};

/**
 * Follows Markdown one character at a time (CommonMark 4.5 fenced code, 6.1 code spans, 2.4 backslash
 * escapes). A code span is given up at the end of its line: a stream cannot look ahead for its end, and
 * one unmatched backtick must not hide the rest of an answer from the citation check.
 */
export function createMarkdownScanner(): MarkdownScanner {
  const state: State = {
    mode: 'text',
    length: 0,
    fence: '',
    opening: false,
    line: '',
    runCharacter: '',
    runLength: 0,
    runStartsLine: false,
    escaped: false,
  };
  return {
    inText: () => {
      // A run of backticks is only known to be over when something else follows: that something is
      // what the caller asks about, so the run counts as ended here.
      const mode = state.runLength > 0 ? modeAfterRun(state) : state.mode;
      return mode === 'text' && !state.escaped;
    },
    atLineStart: () => state.line.trim() === '',
    step: (character) => {
      step(state, character);
    },
  };
}

function modeAfterRun(state: State): State['mode'] {
  if (state.mode === 'text') {
    if (state.runStartsLine && state.runLength >= 3) return 'fence';
    return state.runCharacter === '`' ? 'inline' : 'text';
  }
  if (state.mode === 'inline' && state.runCharacter === '`' && state.runLength === state.length)
    return 'text';
  return state.mode;
}

function endRun(state: State): void {
  if (state.runLength === 0) return;
  const next = modeAfterRun(state);
  if (state.mode === 'text' && next !== 'text') {
    state.length = state.runLength;
    state.fence = state.runCharacter;
    state.opening = next === 'fence';
  }
  state.mode = next;
  state.runLength = 0;
}

function step(state: State, character: string): void {
  if ((character === '`' || character === '~') && !state.escaped) {
    takeTick(state, character);
    return;
  }
  endRun(state);
  if (character === '\n') endLine(state);
  else state.line += character;
  state.escaped = character === '\\' && !state.escaped && state.mode === 'text';
}

function takeTick(state: State, character: string): void {
  if (state.runLength > 0 && state.runCharacter !== character) endRun(state);
  if (state.runLength === 0) {
    // The info string of a backtick fence holds no backtick: what looked like one is a code span.
    if (state.opening && character === '`' && state.fence === '`') {
      state.mode = 'inline';
      state.opening = false;
    }
    state.runStartsLine = state.line.trim() === '';
  }
  state.runCharacter = character;
  state.runLength += 1;
  state.line += character;
}

function endLine(state: State): void {
  if (state.mode === 'inline') state.mode = 'text';
  else if (state.mode === 'fence' && !state.opening && closesFence(state)) state.mode = 'text';
  state.opening = false;
  state.line = '';
}

function closesFence(state: State): boolean {
  const line = state.line.trim();
  return line.length >= state.length && line === state.fence.repeat(line.length);
}
