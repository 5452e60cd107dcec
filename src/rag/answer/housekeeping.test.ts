import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatMessage } from '../../providers/chat.ts';
import { answerHousekeeping, housekeepingTask } from './housekeeping.ts';

const user = (text: string): ChatMessage[] => [{ role: 'user', text }];

const HISTORY =
  '<chat_history>\nUSER: How do I create internal links?\nASSISTANT: With two brackets [1].\n</chat_history>';
const framed = (task: string, json: string): string =>
  `### Task:\n${task}\n### Guidelines:\n- Be brief.\n### Output:\nJSON format: ${json}\n### Chat History:\n${HISTORY}`;

const PROMPTS: readonly [string, ChatMessage[]][] = [
  [
    'title',
    user(
      framed(
        'Generate a concise, 3-5 word title with an emoji summarizing the chat history.',
        '{ "title": "x" }',
      ),
    ),
  ],
  [
    'tags',
    user(framed('Generate 1-3 broad tags categorizing the main themes.', '{ "tags": ["tag1", "tag2"] }')),
  ],
  [
    'follow-ups',
    user(framed('Suggest 3-5 relevant follow-up questions or prompts.', '{ "follow_ups": ["Q1?"] }')),
  ],
  [
    'queries',
    user(
      framed('Analyze the chat history to determine the necessity of search queries.', '{ "queries": [] }'),
    ),
  ],
  [
    'autocomplete',
    user('### Task:\nYou are an autocompletion system.\n### Output:\n{ "text": "" }\n<text>How</text>'),
  ],
  [
    'title',
    user(
      'Provide a concise, 5-word-or-less title for the conversation, using its same language, with no punctuation.\n\nConversation:\nUser: How do I link?\nAI: So.',
    ),
  ],
  [
    'title',
    [
      {
        role: 'system',
        text: 'You are skilled in conversation. Summarize the user’s conversation into a title within 10 words.',
      },
      { role: 'user', text: 'user: How do I link?\nassistant: So.' },
    ],
  ],
  [
    'title',
    user(
      'Based on the chat history, give this conversation a name. Keep it short - 10 characters max, no quotes.',
    ),
  ],
  ['title', user('请将用户的会话总结为 10 个字以内的标题')],
];

for (const [kind, messages] of PROMPTS) {
  test(`a prompt for ${kind} is housekeeping: ${messages.at(-1)?.text.slice(0, 40).replaceAll('\n', ' ') ?? ''}`, () => {
    assert.equal(housekeepingTask(messages), kind);
  });
}

const QUESTIONS = [
  'How do I give a note a title?',
  'What tags did I use for the chat with Anna?',
  'Write a summary of my conversation with Bob about pricing',
  'What is the title of the talk on messages?',
  '### Task: list\nWhat is open in the task list?',
  'Generate a title for my post about gardens',
];

for (const question of QUESTIONS) {
  test(`a question is not housekeeping: ${question.replaceAll('\n', ' ')}`, () => {
    assert.equal(housekeepingTask(user(question)), undefined);
  });
}

test('without a model a title comes from the first question, in the shape asked for', () => {
  const [, json] = PROMPTS[0] ?? ['', []];
  assert.deepEqual(JSON.parse(answerHousekeeping('title', json)), {
    title: 'How do I create internal links',
  });
  const [, plain] = PROMPTS[5] ?? ['', []];
  assert.equal(answerHousekeeping('title', plain), 'How do I link');
});

test('without a model tags are words of the question and follow-ups are none', () => {
  const [, tags] = PROMPTS[1] ?? ['', []];
  assert.deepEqual(JSON.parse(answerHousekeeping('tags', tags)), { tags: ['create', 'internal', 'links'] });
  assert.deepEqual(JSON.parse(answerHousekeeping('follow-ups', tags)), { follow_ups: [] });
});
