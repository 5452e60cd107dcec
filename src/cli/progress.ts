import type { IndexProgress } from './program.ts';
import type { Output } from './terminal.ts';

/** Shows how far a long work has come. */
export type ProgressView = {
  update(progress: IndexProgress): void;
  /** Takes the bar away. */
  end(): void;
};

const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 2000;
const BAR_WIDTH = 24;

/**
 * Makes a view of indexing: a bar that redraws itself on a terminal, a plain line every two seconds
 * elsewhere. Work that ends at once shows nothing.
 */
export function createProgressView(output: Output, nowMs: () => number): ProgressView {
  const everyMs = output.isTerminal ? BAR_EVERY_MS : LINE_EVERY_MS;
  let shownMs = nowMs();
  let drawn = false;
  return {
    update(progress) {
      if (progress.notesTotal === 0 || nowMs() - shownMs < everyMs) return;
      shownMs = nowMs();
      drawn = true;
      output.write(output.isTerminal ? toBar(progress, output.columns) : `${toText(progress)}\n`);
    },
    end() {
      if (drawn && output.isTerminal) output.write('\r\u001b[2K');
      drawn = false;
    },
  };
}

function toText({ vault, notesDone, notesTotal }: IndexProgress): string {
  return `indexing ${vault}: ${notesDone} of ${notesTotal} notes`;
}

function toBar(progress: IndexProgress, columns: number): string {
  const share = Math.min(1, progress.notesDone / progress.notesTotal);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${toText(progress)}`;
  return `\r\u001b[2K${bar.slice(0, Math.max(10, columns - 1))}`;
}
