import { widthOf } from './table.ts';
import type { Output } from './terminal.ts';

/** A line of a terminal that is written over again and again. */
export type RedrawnLine = {
  draw(text: string): void;
  /** Takes the line away, where there is one. */
  clear(): void;
};

const ERASE = '\r\u001b[2K';
const LEAST_COLUMNS = 10;
const BAR_WIDTH = 24;

/** Starts with nothing drawn. */
export function createRedrawnLine(output: Output): RedrawnLine {
  let drawn = false;
  return {
    draw(text) {
      drawn = true;
      output.write(`${ERASE}${fit(text, output.columns - 1)}`);
    },
    clear() {
      if (drawn) output.write(ERASE);
      drawn = false;
    },
  };
}

/** Draws a share between 0 and 1. */
export function toBar(share: number): string {
  const filled = Math.round(share * BAR_WIDTH);
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
}

/** A line that wraps cannot be redrawn. */
function fit(text: string, columns: number): string {
  const most = Math.max(LEAST_COLUMNS, columns);
  return widthOf(text) <= most ? text : `${text.slice(0, most - 1)}…`;
}
