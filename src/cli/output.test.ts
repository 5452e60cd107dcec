import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgressView } from './progress.ts';
import { withoutControls } from './style.ts';
import { toTable, widthOf } from './table.ts';

test('columns line up by what a terminal shows, not by characters', () => {
  assert.equal(widthOf('notes'), 5);
  assert.equal(widthOf('笔记'), 4);
  assert.equal(widthOf('Cafe\u0301'), 4);
  assert.equal(
    toTable([
      ['笔记', 'a'],
      ['abcde', 'b', ''],
    ]),
    '笔记   a\nabcde  b\n',
  );
});

test('a coloured header does not shift its column', () => {
  assert.equal(widthOf('\u001b[1mNAME\u001b[22m'), 4);
});

test('control characters of notes and models never reach the terminal', () => {
  assert.equal(withoutControls('a\u001b]52;c;AAAA\u0007b\r\nc\td\u009b31me'), 'a]52;c;AAAAb\nc\td31me');
});

function capture(isTerminal: boolean): {
  readonly written: string[];
  readonly clock: { nowMs: number };
  readonly view: ReturnType<typeof createProgressView>;
} {
  const written: string[] = [];
  const clock = { nowMs: 0 };
  const output = { isTerminal, columns: 60, write: (text: string) => void written.push(text) };
  return { written, clock, view: createProgressView(output, () => clock.nowMs) };
}

test('progress is a bar on a terminal, redrawn in one line and taken away at the end', () => {
  const { written, clock, view } = capture(true);
  clock.nowMs = 100;
  view.update({ vault: 'Notes', notesDone: 50, notesTotal: 100 });
  view.end();
  assert.equal(written.length, 2);
  assert.equal(written[0], `\r\u001b[2K${'█'.repeat(12)}${'░'.repeat(12)} indexing Notes: 50 of 100 notes`);
  assert.equal(written[1], '\r\u001b[2K');
});

test('progress is a plain line every two seconds elsewhere', () => {
  const { written, clock, view } = capture(false);
  for (clock.nowMs = 0; clock.nowMs <= 5000; clock.nowMs += 100) {
    view.update({ vault: 'Notes', notesDone: clock.nowMs, notesTotal: 5000 });
  }
  view.end();
  assert.deepEqual(written, ['indexing Notes: 2000 of 5000 notes\n', 'indexing Notes: 4000 of 5000 notes\n']);
});

test('work that ends at once shows nothing', () => {
  const { written, view } = capture(true);
  view.update({ vault: 'Notes', notesDone: 1, notesTotal: 1 });
  view.end();
  assert.deepEqual(written, []);
});
