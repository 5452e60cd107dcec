import type { IndexProgress } from './program.ts';
import { createRedrawnLine, toBar } from './redrawn-line.ts';
import type { Output } from './terminal.ts';

/** Shows how far a long work has come. */
export type ProgressView = {
  update(progress: IndexProgress): void;
  /** Takes the bar away. */
  end(): void;
};

const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 2000;

/**
 * Makes a view of indexing: a bar that redraws itself on a terminal, a plain line every two seconds
 * elsewhere. Work that ends at once shows nothing.
 */
export function createProgressView(output: Output, nowMs: () => number): ProgressView {
  const everyMs = output.isTerminal ? BAR_EVERY_MS : LINE_EVERY_MS;
  let shownMs = nowMs();
  const line = createRedrawnLine(output);
  return {
    update(progress) {
      if (progress.notesTotal === 0 || nowMs() - shownMs < everyMs) return;
      shownMs = nowMs();
      const text = toText(progress);
      if (output.isTerminal)
        line.draw(`${toBar(Math.min(1, progress.notesDone / progress.notesTotal))} ${text}`);
      else output.write(`${text}\n`);
    },
    end: line.clear,
  };
}

function toText({ vault, notesDone, notesTotal }: IndexProgress): string {
  return `indexing ${vault}: ${notesDone} of ${notesTotal} notes`;
}
