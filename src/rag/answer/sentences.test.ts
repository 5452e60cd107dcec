import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitSentences } from './sentences.ts';

const CASES: readonly [string, string, string[]][] = [
  [
    'full stops end sentences',
    'One is here. Two is there! Three?',
    ['One is here.', 'Two is there!', 'Three?'],
  ],
  ['Chinese needs no blanks', '链接很有用。如何创建？用括号！', ['链接很有用。', '如何创建？', '用括号！']],
  ['Hindi ends with a danda', 'यह एक है। यह दो है।', ['यह एक है।', 'यह दो है।']],
  [
    'initials and titles do not end',
    'Dr. Smith met J. R. Tolkien. They spoke.',
    ['Dr. Smith met J. R. Tolkien.', 'They spoke.'],
  ],
  ['a short line ends', 'Name: Anna\nCity: Rome', ['Name: Anna', 'City: Rome']],
  [
    'a wrapped line goes on',
    'This line is as long as an editor makes them when it wraps the\ntext of a note. Next.',
    ['This line is as long as an editor makes them when it wraps the\ntext of a note.', 'Next.'],
  ],
  ['a list number stays with its item', '1. Open it.\n2. Close it.', ['1. Open it.', '2. Close it.']],
  ['nothing gives nothing', ' \n ', []],
  ['a false end at the very end is kept', 'As in fig.', ['As in fig.']],
];

for (const [name, text, expected] of CASES) {
  test(name, () => {
    const sentences = splitSentences(text);
    assert.deepEqual(
      sentences.map((sentence) => sentence.text),
      expected,
    );
    for (const sentence of sentences) assert.equal(text.slice(sentence.start, sentence.end), sentence.text);
  });
}
