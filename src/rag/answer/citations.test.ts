import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCitationFilter } from './citations.ts';

function filter(
  text: string,
  sourceCount = 3,
): { text: string; cited: number[]; invalid: readonly number[] } {
  const filter = createCitationFilter(sourceCount);
  const shown = filter.push(text) + filter.end();
  for (const { source, start, end } of filter.citations()) {
    assert.equal(shown.slice(start, end), `[${String(source)}]`, 'offsets point at the mark');
  }
  return { text: shown, cited: filter.citations().map(({ source }) => source), invalid: filter.invalid() };
}

const CASES: readonly [string, string, string, number[]][] = [
  ['a valid mark stays', 'Links use brackets [1].', 'Links use brackets [1].', [1]],
  ['an invalid mark goes with its blank', 'Links use brackets [7].', 'Links use brackets.', []],
  ['a list of sources becomes one mark each', 'Yes [1, 2].', 'Yes [1][2].', [1, 2]],
  ['only the invalid part of a list goes', 'Yes [1; 9].', 'Yes [1].', [1]],
  ['a range becomes its members', 'Yes [1-3].', 'Yes [1][2][3].', [1, 2, 3]],
  ['a footnote mark is a citation', 'Yes[^2].', 'Yes[2].', [2]],
  ['a list of footnote marks is one too', 'Yes [^1, ^2].', 'Yes [1][2].', [1, 2]],
  ['doubled brackets around a number are a citation', 'Yes [[2]].', 'Yes [2].', [2]],
  ['lenticular brackets are a citation', '是的【1】。好【2†note.md】。', '是的[1]。好[2]。', [1, 2]],
  ['neighbours stay neighbours', 'Yes [1][2] and [3]', 'Yes [1][2] and [3]', [1, 2, 3]],
  ['an invalid neighbour goes alone', 'Yes [1][8] and', 'Yes [1] and', [1]],
  ['a link is left alone', 'See [1](https://example.org/) [2]', 'See [1](https://example.org/) [2]', [2]],
  ['a link to no source is left alone', 'See [7](x)', 'See [7](x)', []],
  ['a wikilink is left alone', 'See [[Note 7]] and [[7a]]', 'See [[Note 7]] and [[7a]]', []],
  ['code spans are left alone', 'Use `a[7]` and ``b[1]`[9]`` [1]', 'Use `a[7]` and ``b[1]`[9]`` [1]', [1]],
  ['fences are left alone', '```js\na[7] [1]\n```\nYes [7] [2]', '```js\na[7] [1]\n```\nYes [2]', [2]],
  ['a tilde fence holds backticks', '~~~\n``` [7]\n~~~\n[1]', '~~~\n``` [7]\n~~~\n[1]', [1]],
  ['an inline run of three is a span', '```a[7]``` [7] [1]', '```a[7]``` [1]', [1]],
  ['an unmatched backtick ends with its line', 'a ` b [7]\nc [7]', 'a ` b [7]\nc', []],
  ['an escaped bracket is text', 'a \\[7] b', 'a \\[7] b', []],
  ['a year is text', 'In [2024] and [0] and [1, 200]', 'In [2024] and [0] and [1, 200]', []],
  ['a task box is text', '- [ ] do\n- [x] done', '- [ ] do\n- [x] done', []],
  ['a mark at the start of a line leaves no blank', '[7] Yes\n- [7] No', 'Yes\n- No', []],
  ['indentation before a mark stays', '- a\n  [1] b', '- a\n  [1] b', [1]],
  ['an unfinished mark at the end is text', 'Yes [1', 'Yes [1', []],
  ['a mark at the very end counts', 'Yes [3]', 'Yes [3]', [3]],
];

for (const [name, input, output, cited] of CASES) {
  test(name, () => {
    const result = filter(input);
    assert.equal(result.text, output);
    assert.deepEqual(result.cited, cited);
  });
}

test('numbers that do not exist are reported', () => {
  assert.deepEqual(filter('a [7] b [8, 1]').invalid, [7, 8]);
});

test('offsets count UTF-16 units', () => {
  const citationFilter = createCitationFilter(1);
  const shown = citationFilter.push('𝔘 😀 [1]') + citationFilter.end();
  assert.equal(citationFilter.citations()[0]?.start, shown.indexOf('[1]'));
});

test('nothing is held back longer than a mark can be', () => {
  const citationFilter = createCitationFilter(1);
  const shown = citationFilter.push(`x [${'1, '.repeat(1000)}`);
  assert.ok(shown.length > 2900);
});
