import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parse as parseYaml } from 'yaml';
import { parseNote } from './parse-note.ts';
import type { Note } from './note.ts';
import { simpleYaml } from './simple-yaml.ts';

/** Pieces of Obsidian's syntax, whole and broken, from which a note is thrown together. */
const piece = fc.constantFrom(
  '# ',
  '## ',
  '> ',
  '> [!note] ',
  '- ',
  '- [ ] ',
  '1. ',
  '  ',
  '    ',
  '\t',
  '```',
  '~~~',
  '`',
  '``',
  '$',
  '$$',
  '%%',
  '==',
  '**',
  '_',
  '[[',
  ']]',
  '![[',
  '|',
  '| - |',
  '---',
  '^id',
  ' ^id',
  '[^1]',
  '[^1]: ',
  '^[',
  '[',
  ']',
  '(',
  ')',
  '<b>',
  '</b>',
  '<!--',
  '-->',
  '<div>',
  '#tag',
  'word',
  'Wörter',
  '日本語',
  '😀',
  '\\',
  '&amp;',
  '\0',
  '\uFEFF',
  '{{x}}',
  'a: b',
  '!',
  '(u.md)',
);
const noteText = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: piece },
      { weight: 3, arbitrary: fc.constantFrom('\n', '\n\n', ' ') },
      fc.string({ unit: 'binary', maxLength: 8 }),
    ),
    { maxLength: 60, size: 'max' },
  )
  .map((pieces) => pieces.join(''));

function checkRanges(note: Note, lineCount: number): void {
  let last = 0;
  for (const { startLine, endLine } of note.blocks) {
    assert.ok(startLine > last, 'blocks are in order and do not overlap');
    assert.ok(endLine >= startLine && endLine <= lineCount, 'a block lies in the file');
    last = endLine;
  }
  for (const { line } of [...note.links, ...note.warnings]) assert.ok(line >= 1 && line <= lineCount);
  for (const { startLine, endLine } of note.blockIds)
    assert.ok(startLine >= 1 && endLine >= startLine && endLine <= lineCount);
}

test('any text is read, its blocks in order, apart from one another and in the file', () => {
  fc.assert(
    fc.property(noteText, fc.boolean(), (text, withFront) => {
      const whole = withFront ? `---\n${text}\n---\n${text}` : text;
      checkRanges(parseNote('n.md', whole), whole.split(/\r\n|\n|\r/).length);
    }),
    { numRuns: 1_500 },
  );
});

test('line ends make no difference', () => {
  fc.assert(
    fc.property(noteText, (text) => {
      const unix = text.replace(/\r/g, '');
      const note = parseNote('n.md', unix);
      assert.deepEqual(parseNote('n.md', unix.replaceAll('\n', '\r\n')), note);
      assert.deepEqual(parseNote('n.md', unix.replaceAll('\n', '\r')), note);
    }),
    { numRuns: 300 },
  );
});

/** Whether the letters and digits of `text` occur in `source` in that order. */
function isDrawnFrom(text: string, source: string): boolean {
  let position = 0;
  for (const letter of text.match(/[\p{L}\p{N}]/gu) ?? []) {
    const at = source.indexOf(letter, position);
    if (at < 0) return false;
    position = at + letter.length;
  }
  return true;
}

test('every letter of a block stands, in order, in the lines that the block names', () => {
  fc.assert(
    fc.property(
      noteText.map((text) => text.replace(/[&\\\0]/g, '')),
      (text) => {
        const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
        for (const block of parseNote('n.md', text).blocks) {
          const source = lines.slice(block.startLine - 1, block.endLine).join('\n');
          assert.ok(
            isDrawnFrom(block.text, source),
            `${JSON.stringify(block.text)} is in ${JSON.stringify(source)}`,
          );
        }
      },
    ),
    { numRuns: 600 },
  );
});

test('what stands between comment marks on lines of their own is never read', () => {
  // What else can hide a comment mark is left out: an open fence above would make the marks code, and
  // the marks would be properties of a note that begins with ---.
  const safe = noteText.map((text) => text.replace(/[%`~$\r]/g, '').replace(/^[\uFEFF-]+/, ''));
  fc.assert(
    fc.property(
      safe,
      noteText.map((text) => text.replaceAll('%', '')),
      safe,
      (before, hidden, after) => {
        const note = parseNote(
          'n.md',
          `${before}\n\n%%\nsecret ${hidden}\nsecret [[secret]] #secret\n%%\n\n${after}`,
        );
        assert.ok(!JSON.stringify(note).includes('secret'));
      },
    ),
    { numRuns: 500 },
  );
});

const yamlWord = fc.constantFrom(
  'a',
  'true',
  'null',
  'Yes',
  '1',
  '-1',
  '01',
  '1.5',
  '1e3',
  '0x1',
  '2024-01-02',
  '~',
  '"q"',
  "'q'",
  '[a, b]',
  '[]',
  '[1]',
  'a b',
  'a, b',
  '#c',
  'a #c',
  'http://x',
  'a:b',
  'a#b',
  'a: b',
  'a:#b',
  'a :',
  '2024-03-23 15:14',
  '- x',
  '{a: 1}',
  '|',
  '',
  ' ',
  '"',
  "it's",
  '[[x]]',
  '@x',
  'a:',
  'é',
);
const yamlLine = fc.oneof(
  fc
    .tuple(fc.constantFrom('a', 'b', 'key two', 'true', '1', 'é'), yamlWord)
    .map(([key, value]) => `${key}: ${value}`),
  fc.tuple(fc.constantFrom('', ' ', '  '), yamlWord).map(([indent, value]) => `${indent}- ${value}`),
  fc.constantFrom('', 'a:', 'b:', '# c', ' x', 'plain'),
);

test('properties that are read without the YAML library are read as it reads them', () => {
  fc.assert(
    fc.property(fc.array(yamlLine, { maxLength: 6, size: 'max' }), (lines) => {
      const simple = simpleYaml(lines);
      if (simple !== undefined) assert.deepEqual(simple, parseYaml(lines.join('\n')) ?? {});
    }),
    { numRuns: 3_000 },
  );
});
