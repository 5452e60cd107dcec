/*
 * `%%…%%` may span lines, paragraphs and lists, so comments are masked before Markdown is read. The
 * scan follows only what can hide a `%%`: fences, indented code, code spans and display math.
 */

type Fence = {
  readonly marker: string;
  readonly length: number;
  readonly quoted: boolean;
  readonly nested: boolean;
};

const CONTAINERS = /^(?:[ \t]*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t]))*[ \t]*/;
const LIST_ITEM = /^[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]/;
const FENCE = /^(`{3,}|~{3,})(.*)$/;

/** Lines that a code span is followed over: longer ones do not occur, and the bound keeps the scan linear. */
const LONGEST_SPAN = 40;

class CommentScanner {
  readonly #lines: readonly string[];
  readonly #kept: string[];
  #fence: Fence | undefined;
  #inComment = false;
  #inMath = false;
  #inList = false;
  #afterBlank = true;
  #inIndentedCode = false;
  /** Position up to which the next line belongs to a code span that began above. */
  #spanEnd: { readonly line: number; readonly column: number } | undefined;
  readonly #lastMarker: number;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
    this.#kept = [];
    this.#lastMarker = lines.findLastIndex((line) => line.includes('%%'));
  }

  mask(): string[] {
    for (let index = 0; index < this.#lines.length; index += 1) this.#kept.push(this.#maskLine(index));
    return this.#kept;
  }

  #maskLine(index: number): string {
    const line = this.#lines[index] ?? '';
    if (this.#inComment) return this.#scan(index, 0);
    if (this.#fence && this.#staysInFence(line, this.#fence)) return line;
    if (this.#spanEnd) return this.#maskSpanEnd(index, this.#spanEnd);
    if (this.#isIndentedCode(line)) return line;
    this.#afterBlank = line.trim() === '';
    if (this.#afterBlank) return line;
    if (LIST_ITEM.test(line)) this.#inList = true;
    return this.#opensFence(line) ? line : this.#scan(index, 0);
  }

  #maskSpanEnd(index: number, end: { readonly line: number; readonly column: number }): string {
    if (end.line > index) return this.#lines[index] ?? '';
    this.#spanEnd = undefined;
    return this.#scan(index, end.column);
  }

  #opensFence(line: string): boolean {
    if (this.#inMath) return false;
    const prefix = CONTAINERS.exec(line)?.[0] ?? '';
    const match = FENCE.exec(line.slice(prefix.length));
    const marker = match?.[1] ?? '';
    if (marker === '' || (marker.startsWith('`') && match?.[2]?.includes('`') === true)) return false;
    const nested = this.#inList && prefix.length >= 2;
    this.#fence = { marker: marker.charAt(0), length: marker.length, quoted: prefix.includes('>'), nested };
    return true;
  }

  #staysInFence(line: string, fence: Fence): boolean {
    const left = this.#leavesFence(line, fence);
    const bare = line.replace(CONTAINERS, '').trimEnd();
    const closes = bare.length >= fence.length && bare === fence.marker.repeat(bare.length);
    if (left || closes) this.#fence = undefined;
    return !left;
  }

  /** The container that a fence stands in ends, and the fence with it. */
  #leavesFence(line: string, fence: Fence): boolean {
    if (fence.quoted) return !/^\s*(?:[-*+]\s+|\d{1,9}[.)]\s+)?\s*>/.test(line);
    return fence.nested && /^\S/.test(line);
  }

  #isIndentedCode(line: string): boolean {
    const indented = /^(?: {4}| {0,3}\t)/.test(line) && line.trim() !== '';
    if (!indented) {
      const ends = line.trim() !== '' && this.#afterBlank && !/^[ \t]/.test(line);
      if (ends) this.#inList = false;
      if (line.trim() !== '') this.#inIndentedCode = false;
      return false;
    }
    this.#inIndentedCode ||= this.#afterBlank && !this.#inList;
    return this.#inIndentedCode;
  }

  /** Copies what is not comment; what precedes `column` is code. */
  #scan(index: number, column: number): string {
    const line = this.#lines[index] ?? '';
    let text = line.slice(0, column);
    let position = column;
    while (position < line.length) {
      if (this.#inComment) {
        const end = line.indexOf('%%', position);
        if (end < 0) return text;
        this.#inComment = false;
        position = end + 2;
        continue;
      }
      const next = this.#nextMarker(line, position);
      text += line.slice(position, next);
      if (next >= line.length) return text;
      position = this.#enter(index, next);
      if (!this.#inComment) text += line.slice(next, position);
    }
    return text;
  }

  #nextMarker(line: string, from: number): number {
    for (let position = from; position < line.length; position += 1) {
      const code = line.charCodeAt(position);
      if (code === 0x5c && !this.#inMath) position += 1;
      else if (code === 0x60 && !this.#inMath) return position;
      else if (code === 0x25 && line.charCodeAt(position + 1) === 0x25 && !this.#inMath) return position;
      else if (code === 0x24 && line.charCodeAt(position + 1) === 0x24) return position;
    }
    return line.length;
  }

  /** Handles the marker at `position`; returns where the scan goes on. */
  #enter(index: number, position: number): number {
    const line = this.#lines[index] ?? '';
    const code = line.charCodeAt(position);
    if (code === 0x24) {
      this.#inMath = !this.#inMath && this.#mathCloses(index, position + 2);
      return position + 2;
    }
    if (code === 0x60) return this.#enterSpan(index, position);
    const alone = line.slice(0, position).replace(CONTAINERS, '') === '';
    this.#inComment = alone || this.#closesLater(index, position + 2);
    return position + 2;
  }

  #closesLater(index: number, column: number): boolean {
    return this.#lastMarker > index || (this.#lines[index] ?? '').includes('%%', column);
  }

  #mathCloses(index: number, column: number): boolean {
    if ((this.#lines[index] ?? '').includes('$$', column)) return true;
    for (let line = index + 1; line < Math.min(this.#lines.length, index + 200); line += 1) {
      if ((this.#lines[line] ?? '').includes('$$')) return true;
    }
    return false;
  }

  #enterSpan(index: number, position: number): number {
    const first = this.#lines[index] ?? '';
    let end = position;
    while (first.charCodeAt(end) === 0x60) end += 1;
    const width = end - position;
    for (let line = index; line < Math.min(this.#lines.length, index + LONGEST_SPAN); line += 1) {
      const text = this.#lines[line] ?? '';
      if (line > index && text.trim() === '') break;
      const close = findRun(text, line === index ? end : 0, width);
      if (close < 0) continue;
      if (line === index) return close + width;
      this.#spanEnd = { line, column: close + width };
      return first.length;
    }
    return end;
  }
}

/** Position of a run of exactly `width` backticks at or after `from`, or -1. */
function findRun(text: string, from: number, width: number): number {
  for (let start = text.indexOf('`', from); start >= 0; start = text.indexOf('`', start)) {
    let end = start;
    while (text.charCodeAt(end) === 0x60) end += 1;
    if (end - start === width) return start;
    start = end;
  }
  return -1;
}

/**
 * Removes Obsidian comments and keeps every line in its place. A `%%` that is never closed hides the
 * rest of the note when it starts its line; within a line it is text.
 */
export function maskComments(lines: readonly string[]): readonly string[] {
  return lines.some((line) => line.includes('%%')) ? new CommentScanner(lines).mask() : lines;
}
