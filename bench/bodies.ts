/**
 * How long one request body blocks the event loop: the longest block that a timer inside the running
 * program sees while the body is read, checked, passed on or translated. Bodies are as large as they
 * may be, or built to be refused; the upstreams answer at once. An argument chooses the bodies whose
 * name contains it.
 */
import { openArena } from '../test/faults/client/arena.ts';
import type { Arena, Lane } from '../test/faults/client/arena.ts';
import { exchange } from '../test/faults/client/raw-client.ts';
import { chatBody, CLOSE, post } from '../test/faults/client/requests.ts';
import { TRANSPORTS } from '../test/faults/transports.ts';

const MEBIBYTE = 1024 * 1024;
const LIMIT_BYTES = 16 * MEBIBYTE;
const ROUNDS = 9;

type Body = {
  readonly name: string;
  readonly status: 200 | 400;
  readonly of: (model: string) => string;
};

/** A chat request of just the largest size, `filler` in its message over and over. */
function largest(model: string, filler: string): string {
  const empty = chatBody({ model, says: '', stream: false });
  const encoded = JSON.stringify(filler).slice(1, -1);
  const times = Math.floor((LIMIT_BYTES - Buffer.byteLength(empty)) / Buffer.byteLength(encoded));
  return empty.replace('"content":""', () => `"content":"${encoded.repeat(times)}"`);
}

/** The same with as many messages as the limit of structural characters lets through. */
function manyMessages(model: string): string {
  const content = 'x'.repeat(500);
  const messages = Array.from({ length: 28_000 }, () => ({ role: 'user', content }));
  return JSON.stringify({ model, messages });
}

const withMember = (model: string, member: string): string =>
  `${chatBody({ model, says: 'answer', stream: false }).slice(0, -1)},${member}}`;

const MILLION_KEYS = `{${Array.from({ length: 1e6 }, (_, index) => `"${index}":0`).join(',')}}`;

const BODIES: readonly Body[] = [
  { name: '16 MiB of plain text', status: 200, of: (model) => largest(model, 'All work and no play. ') },
  { name: '16 MiB of escapes', status: 200, of: (model) => largest(model, '\n\t"\\') },
  { name: '16 MiB of Chinese', status: 200, of: (model) => largest(model, '只工作不玩耍') },
  { name: '28,000 messages of 500 bytes', status: 200, of: manyMessages },
  {
    name: '16 MiB, wrong at the last byte',
    status: 400,
    of: (model) => `${largest(model, 'x').slice(0, -1)},`,
  },
  {
    name: 'a million levels',
    status: 400,
    of: (model) => withMember(model, `"metadata":${'['.repeat(1e6)}`),
  },
  {
    name: 'a million keys of metadata',
    status: 400,
    of: (model) => withMember(model, `"metadata":${MILLION_KEYS}`),
  },
  {
    name: 'a million keys elsewhere',
    status: 400,
    of: (model) => withMember(model, `"logit_bias":${MILLION_KEYS}`),
  },
  {
    name: '8 MiB of digits',
    status: 400,
    of: (model) => withMember(model, `"seed":${'7'.repeat(8 * MEBIBYTE)}`),
  },
  {
    name: '8 MiB of "0,0,0"',
    status: 400,
    of: (model) => withMember(model, `"metadata":[${'0,'.repeat(4 * MEBIBYTE)}0]`),
  },
];

async function blockedMs(arena: Arena): Promise<number> {
  const told = (): readonly string[] => arena.program.stderr().match(/\{"blockedMs":[\d.]+\}/g) ?? [];
  const before = told().length;
  arena.program.signal('SIGUSR2');
  while (told().length === before) await new Promise((resolve) => setTimeout(resolve, 5));
  return Number(/[\d.]+/.exec(told().at(-1) ?? '')?.[0]);
}

async function measure(arena: Arena, lane: Lane, body: Body): Promise<readonly number[]> {
  const bytes = post(body.of(lane.model), [CLOSE]);
  const blocks: number[] = [];
  // The first two are for the compiler.
  for (let round = -2; round < ROUNDS; round += 1) {
    await blockedMs(arena);
    const [answer] = await exchange(arena.url, bytes);
    if (answer?.status !== body.status)
      throw new Error(`${body.name}: ${answer?.status} ${answer?.body.slice(0, 200)}`);
    const blocked = await blockedMs(arena);
    if (round >= 0) blocks.push(blocked);
  }
  return blocks.toSorted((a, b) => a - b);
}

const wanted = process.argv[2] ?? '';
const probe = new URL('loop-probe.mjs', import.meta.url).href;
process.stdout.write('| body | transport | upstream | median, ms | longest, ms |\n|---|---|---|--:|--:|\n');
for (const transport of TRANSPORTS) {
  await using arena = await openArena({ transport, env: { NODE_OPTIONS: `--import=${probe}` } });
  for (const body of BODIES.filter(({ name }) => name.includes(wanted))) {
    for (const lane of arena.lanes) {
      const blocks = await measure(arena, lane, body);
      const [median = 0, longest = 0] = [blocks[blocks.length >> 1], blocks.at(-1)];
      const cells = [body.name, transport, lane.dialect, median.toFixed(1), longest.toFixed(1)];
      process.stdout.write(`| ${cells.join(' | ')} |\n`);
    }
  }
}
