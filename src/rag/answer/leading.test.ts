import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNote } from '../../vault/parse-note.ts';
import { chunkNote } from '../chunk.ts';
import { createTokenizer } from '../text/tokenizer.ts';
import type { Hit, Source } from '../types.ts';
import { choosePassages } from './context.ts';
import { writeExtractive } from './extractive.ts';

const tokenizer = createTokenizer();

/** Asks notes, given in the order of their ranking, with every passage found. */
function ask(question: string, notes: Readonly<Record<string, string>>): string {
  const parsed = Object.entries(notes).map(([path, text]) => parseNote(path, text));
  const hits = parsed.flatMap((note, rank) =>
    chunkNote(note).map((chunk): Hit => ({
      ...chunk,
      path: note.path,
      title: note.title,
      score: 1 / (1 + rank / 10),
      coverage: 1,
    })),
  );
  const sources = hits.map((hit, at): Source => ({
    ...hit,
    index: at + 1,
    vault: 'v',
    obsidianUrl: '',
    url: '',
  }));
  const blocks = Object.fromEntries(parsed.map((note) => [note.path, note.blocks]));
  const limits = { maxPassages: 20, maxTokens: 10_000, expand: false };
  return writeExtractive(question, choosePassages({ hits, sources }, blocks, limits), { tokenizer }).text;
}

const START = `# Getting started

Ask it:

\`\`\`sh
ask "How do I point Obelisk at my own vault?"
\`\`\`

## Point Obelisk at your own vault

\`\`\`sh
serve --vault ~/Notes
\`\`\`

The option may be given several times.

## Let a model write

Any model of the vault will do.
`;

test('a section headed by the question leads with its first code, not an example that asks the question', () => {
  const text = ask('How do I point Obelisk at my own vault?', { 'Getting started.md': START });
  assert.match(text, /^```sh\nserve --vault ~\/Notes\n```\n\[1\]/);
  assert.ok(!text.includes('ask "How'), text);
});

test('a note named by the question is quoted from its beginning', () => {
  const text = ask('Which file formats are supported?', {
    'Accepted file formats.md':
      'These can be opened:\n\n- Markdown\n- Images\n\n## Others\n\nThe rest is left to your system.\n',
    'Publish.md': 'Some pictures are supported by browsers only.\n',
  });
  assert.match(text, /^These can be opened: \[1\]\n\n- Markdown \[1\]\n- Images \[1\]/);
});

test('what a thing is, its note says first', () => {
  const text = ask('What is a callout?', {
    'Callouts.md':
      'Use callouts to set text apart.\n\n## Nest\n\nA callout in a callout is a nested callout, what a callout is too.\n',
  });
  assert.ok(text.startsWith('Use callouts to set text apart. [1]'), text);
});

test('one step is quoted with all the others, announced and in order', () => {
  const text = ask('How do I turn on the dark theme?', {
    'Appearance.md':
      'Colours are a matter of taste.\n\nFollow these steps:\n\n1. Open the settings.\n2. Turn on the dark theme.\n3. Restart.\n\nDone.\n',
  });
  assert.match(
    text,
    /^Follow these steps: \[1\]\n\n.*Open the settings.*\n.*Turn on the dark theme.*\n.*Restart/,
  );
});

test('the sentence that goes on about the subject counts as being about it', () => {
  const text = ask('What does the walrus engine use per hour?', {
    'n1.md':
      'The company Walrus builds the walrus engine. On a good day it has a use of 8 pounds per hour. It is blue.\n',
    'n2.md': 'An engine of any kind is of use for an hour.\n',
  });
  assert.match(text, /^[^\n]*8 pounds per hour/);
});

test('a number is preferred where one is asked for', () => {
  const text = ask('How many seals live in the bay?', {
    'n1.md': 'Seals live in the bay and like it.\n\nIn the bay live 240 seals.\n',
  });
  assert.ok(text.startsWith('In the bay live 240 seals. [1]'), text);
});

test('a caller’s limit holds for steps, too', () => {
  const steps = Array.from({ length: 8 }, (_, at) => `${at + 1}. Turn the key of lock ${at} of the door.`);
  const parsed = parseNote('Door.md', `To open the door:\n\n${steps.join('\n')}\n`);
  const source: Source = {
    index: 1,
    vault: 'v',
    path: 'Door.md',
    title: 'Door',
    headingPath: [],
    startLine: 1,
    endLine: 20,
    text: '',
    score: 1,
    obsidianUrl: '',
    url: '',
  };
  const passages = [{ source, blocks: parsed.blocks }];
  const { quotes } = writeExtractive('How do I open the door?', passages, { tokenizer, maxCharacters: 60 });
  assert.ok(quotes.reduce((sum, { text }) => sum + text.length, 0) <= 60, JSON.stringify(quotes));
});
