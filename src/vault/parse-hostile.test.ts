import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNote } from './parse-note.ts';

/** At these sizes anything quadratic takes minutes and anything recursive overflows the stack. */
const HOSTILE: Readonly<Record<string, string>> = {
  'nested quotes': '>'.repeat(100_000),
  'open brackets': '['.repeat(100_000),
  'open wikilinks': '[[a '.repeat(50_000),
  'open embeds': '![['.repeat(50_000),
  'nested images': '!['.repeat(5_000) + '](b)'.repeat(5_000),
  'open emphasis': '*a '.repeat(50_000),
  'mixed emphasis': '*_a~~=='.repeat(10_000),
  'open inline math': '$a '.repeat(50_000),
  'open display math': '$$a\n\n'.repeat(30_000),
  'open display math in a quote': '> $$a\n>\n'.repeat(20_000),
  'odd comment marks': 'a %%b\n'.repeat(20_001),
  'code spans of every length': Array.from({ length: 400 }, (_, at) => `${'`'.repeat(at + 1)}a`).join(' '),
  'comments among code spans': `%%x%%${Array.from({ length: 400 }, (_, at) => `${'`'.repeat(at + 1)}a`).join(' ')}`,
  'open tags': '<a b="'.repeat(20_000),
  'open HTML comments': '<!-- a'.repeat(20_000),
  'nested lists': '- '.repeat(50_000),
  'deeply indented lists': Array.from({ length: 1_500 }, (_, at) => `${' '.repeat(at)}- a`).join('\n'),
  'a table without cells': `${'|a'.repeat(10_000)}|\n${'|-'.repeat(10_000)}|\n${'|\n'.repeat(500)}`,
  'open link targets': '[a]('.repeat(30_000),
  'open footnotes': '^['.repeat(10_000),
  'one line of marks': '*'.repeat(5_000_000),
  'one line of links': 'word [[x]] '.repeat(450_000),
  'empty list items': '-\n'.repeat(300_000),
  'nested YAML': `---\n${'- '.repeat(3_000)}\n---\ntext`,
  'a long YAML': `---\n${'a: '.repeat(100_000)}\n---\ntext`,
  'a front matter without an end': `---\n${'a: b\n'.repeat(50_000)}`,
};

for (const [what, text] of Object.entries(HOSTILE)) {
  test(`${what} neither hang nor overflow the parser`, { timeout: 30_000 }, () => {
    const lineCount = text.split('\n').length;
    for (const block of parseNote('n.md', text).blocks) assert.ok(block.endLine <= lineCount);
  });
}

test('a text that is too deep or too long for Markdown is still found as text', () => {
  assert.match(parseNote('n.md', `${'>'.repeat(500)} needle`).blocks[0]?.text ?? '', /needle/);
  const long = parseNote('n.md', `${'*'.repeat(200_000)} needle`);
  assert.match(long.blocks[0]?.text ?? '', /needle/);
  assert.equal(long.warnings.length, 1);
  const lines = parseNote('n.md', `${'- a\n'.repeat(150_000)}\nneedle`);
  assert.equal(lines.blocks.at(-1)?.text, 'needle');
  assert.equal(lines.warnings.length, 1);
});
