import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decodeModelfile, parseModelfile } from './modelfile.ts';
import type { ModelfileCommand } from './modelfile.ts';

/** Commands in short: what Ollama's own client calls them, and their value. */
function read(text: string): readonly (readonly [string, string])[] {
  return parseModelfile(text).map((one): readonly [string, string] => [shortOf(one), one.value]);
}

function shortOf(one: ModelfileCommand): string {
  if (one.command === 'parameter') return `parameter ${one.name}`;
  return one.command === 'message' ? `message ${one.role}` : one.command;
}

test('a whole Modelfile is read, its commands in any case and order', () => {
  const text = [
    '# what it is made of',
    'from ./model.gguf',
    '',
    '  ADAPTER ./lora.gguf',
    'PARAMETER stop <|end|>',
    'Parameter num_ctx 4096',
    'TEMPLATE """{{ .System }}',
    '{{ .Prompt }}"""   ',
    'SYSTEM You are "terse".',
    'MESSAGE user What is 2+2?',
    'MESSAGE assistant """four',
    '4"""',
    'LICENSE MIT',
    'RENDERER qwen3',
    'PARSER qwen3',
    'REQUIRES 0.14.0',
    'DRAFT ./draft',
  ].join('\n');
  assert.deepEqual(read(text), [
    ['from', './model.gguf'],
    ['adapter', './lora.gguf'],
    ['parameter stop', '<|end|>'],
    ['parameter num_ctx', '4096'],
    ['template', '{{ .System }}\n{{ .Prompt }}'],
    ['system', 'You are "terse".'],
    ['message user', 'What is 2+2?'],
    ['message assistant', 'four\n4'],
    ['license', 'MIT'],
    ['renderer', 'qwen3'],
    ['parser', 'qwen3'],
    ['requires', '0.14.0'],
    ['draft', './draft'],
  ]);
});

// Each was also given to the parser of Ollama 0.24, which answered the same.
const READ: readonly (readonly [string, string, readonly (readonly [string, string])[]])[] = [
  ['a value ends at the end of its line', 'FROM a b  c \n', [['from', 'a b  c']]],
  ['a comment begins a line, not a value', '# c\nFROM a # b', [['from', 'a # b']]],
  [
    'carriage returns end lines',
    'FROM a\r\nSYSTEM b\rLICENSE c\r\n',
    [
      ['from', 'a'],
      ['system', 'b'],
      ['license', 'c'],
    ],
  ],
  ['tabs separate', 'FROM\ta\tb', [['from', 'a\tb']]],
  [
    'a quoted value keeps its space and its lines',
    'FROM a\nSYSTEM " b\n\n c "',
    [
      ['from', 'a'],
      ['system', ' b\n\n c '],
    ],
  ],
  [
    'a quote in the middle is a character',
    'FROM a\nSYSTEM b "c" d',
    [
      ['from', 'a'],
      ['system', 'b "c" d'],
    ],
  ],
  [
    'a quote closes only at the end of a line',
    'FROM a\nSYSTEM "b" c\nd"',
    [
      ['from', 'a'],
      ['system', 'b" c\nd'],
    ],
  ],
  [
    'three quotes hold one and two',
    'FROM a\nSYSTEM """b "c" ""d"""',
    [
      ['from', 'a'],
      ['system', 'b "c" ""d'],
    ],
  ],
  [
    'an empty value may be quoted',
    'FROM a\nSYSTEM ""\nTEMPLATE """"""',
    [
      ['from', 'a'],
      ['system', ''],
      ['template', ''],
    ],
  ],
  [
    'an empty value may be a space',
    'FROM a\nSYSTEM \nLICENSE b',
    [
      ['from', 'a'],
      ['system', ''],
      ['license', 'b'],
    ],
  ],
  [
    'what does not print is left out',
    'FROM a\u200B\u00A0b\u0007\nSYSTEM 👩\u200D🚀\u3000é',
    [
      ['from', 'ab'],
      ['system', '👩🚀é'],
    ],
  ],
  [
    'a message may say who speaks again',
    'FROM a\nMESSAGE user assistant: b',
    [
      ['from', 'a'],
      ['message user', 'assistant: b'],
    ],
  ],
  [
    'several FROM are all told',
    'FROM a\nFROM b',
    [
      ['from', 'a'],
      ['from', 'b'],
    ],
  ],
];

for (const [name, text, expected] of READ) {
  test(name, () => assert.deepEqual(read(text), expected));
}

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ['nothing', '', /no FROM/],
  ['a Modelfile of comments', '# FROM a', /no FROM/],
  ['one without FROM', 'SYSTEM b', /no FROM/],
  ['a command without a value', 'FROM\n', /line 1 .*FROM has no value/],
  ['an unknown command', 'FROM a\n\nFORM b', /line 3 .*"FORM" is not one of FROM/],
  ['a command alone', 'FROM a\nSYSTEM\n', /line 2/],
  ['a command at the end', 'FROM a\nSYSTEM', /line 2 .*no value/],
  ['a command with a hyphen', 'FROM-X a', /line 1/],
  ['a parameter without a value', 'FROM a\nPARAMETER num_ctx\n', /line 2 .*name and a value/],
  ['a parameter behind two spaces', 'FROM a\nPARAMETER  num_ctx 1', /line 2 .*one space/],
  ['a parameter with a hyphen', 'FROM a\nPARAMETER num-ctx 1', /line 2/],
  ['a message of another role', 'FROM a\nMESSAGE robot b', /line 2 .*system, user, assistant/],
  ['a role in capitals', 'FROM a\nMESSAGE USER b', /line 2 .*system, user, assistant/],
  ['a quote that is not closed', 'FROM a\nSYSTEM """b\nc""\n', /line 2 .*SYSTEM .*not closed/],
  ['a quote of one character', 'FROM a\nSYSTEM "', /line 2 .*not closed/],
  ['five quotes', 'FROM a\nSYSTEM """""', /line 2 .*not closed/],
];

for (const [name, text, message] of REFUSED) {
  test(`${name} is refused with its line`, () =>
    assert.throws(() => parseModelfile(text), { code: 'invalid_request', message }));
}

test('lines are counted once, however they end', () => {
  assert.throws(() => parseModelfile('FROM a\r\n\r\nWRONG b'), { message: /line 3/ });
  assert.deepEqual(
    parseModelfile('FROM a\r\nSYSTEM """b\r\nc"""\r\nLICENSE d').map(({ line }) => line),
    [1, 2, 4],
  );
});

test('a Modelfile is read in whatever Unicode it is written', () => {
  const text = 'FROM a\nSYSTEM é你🚀';
  const utf16 = Buffer.from(`\uFEFF${text}`, 'utf16le');
  for (const bytes of [Buffer.from(text), Buffer.from(`\uFEFF${text}`), utf16, Buffer.from(utf16).swap16()]) {
    assert.deepEqual(read(decodeModelfile(bytes)), [
      ['from', 'a'],
      ['system', 'é你🚀'],
    ]);
  }
});

test('a long value is read in time that grows with its length alone', () => {
  const lines = (count: number): string => `FROM a\nLICENSE """${'a line of a licence\n'.repeat(count)}"""`;
  const timeOf = (text: string): number => {
    const begun = performance.now();
    parseModelfile(text);
    return performance.now() - begun;
  };
  timeOf(lines(5_000));
  const [short, long] = [timeOf(lines(5_000)), timeOf(lines(50_000))];
  // Ten times the text; were it quadratic, a hundred times the time.
  assert.ok(long < short * 40, `${short} ms, then ${long} ms`);
});
