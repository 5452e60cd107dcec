import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chunk, chunkedHead, lastChunk } from '../../upstream-scripts.ts';
import { flood, send, wait } from '../../upstream.ts';
import type { Step } from '../../upstream.ts';
import { TRANSPORTS } from '../transports.ts';
import { eventually } from '../../eventually.ts';
import { alone, always, answer } from './fault-case.ts';
import type { UpstreamRow } from './fault-case.ts';
import { speechOf } from './speech.ts';
import type { Setting } from './speech.ts';
import { openStage, playsOf } from './stage.ts';
import type { Scene, Stage } from './stage.ts';
import { askStrictly } from './strict-client.ts';
import { judge } from './verdict.ts';

const MIB = 1024 * 1024;
/** Floods keep the machine busy. */
const PATIENCE_MS = 15_000;
/** Streams of each dialect. */
const DRIPPING = 150;
/** Streams that nobody reads, and how many of each dialect begin together. */
const STALLED = 200;
const STALLED_TOGETHER = 5;
const WORDS = Array.from({ length: 20 }, (_, index) => `w${index} `);
/** What floods leave to be collected, however many they are: what waits in sockets is seen in resident memory only. */
const GARBAGE_BYTES = 96 * MIB;
/** What a connection and its request hold besides the text that waits. */
const SLACK_BYTES = 128 * 1024;

const isStream = ({ mode }: Setting): boolean => mode === 'stream';

/** A word every 50 ms. */
function slowly(at: Setting): readonly Step[] {
  const speech = speechOf(at);
  const records = speech.body(WORDS).flatMap((record) => [wait(50), send(chunk(record))]);
  return [send(chunkedHead(speech.contentType)), ...records, send(lastChunk)];
}

/** Words without end, as fast as they are taken. */
function endlessly(at: Setting): readonly Step[] {
  const { contentType, unfinished, record } = speechOf(at);
  return [
    send(chunkedHead(contentType) + chunk(unfinished(['x']))),
    flood(chunk(record('x'.repeat(16_384)))),
  ];
}

const ROWS: readonly UpstreamRow[] = [
  {
    row: 28,
    fault: 'slow upstreams',
    sees: '',
    cases: [
      { name: 'slow', columns: isStream, deployments: alone(slowly), expect: always(answer(WORDS.join(''))) },
      { name: 'endless', columns: isStream, deployments: alone(endlessly), expect: always(answer('')) },
    ],
  },
];

const bodyFor = (model: string): string =>
  JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], stream: true });

/** Asks for a stream and takes nothing of it. */
function askAndStall(stage: Stage, { model }: Scene): Socket {
  const { hostname, port } = new URL(stage.program.url);
  const socket = connect({ host: hostname, port: Number(port) }).pause();
  const body = bodyFor(model);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

async function residentBytes(stage: Stage): Promise<number> {
  return Number(/^process_resident_memory_bytes (\d+)/m.exec(await stage.metrics())?.[1]);
}

for (const transport of TRANSPORTS) {
  describe(`28. hundreds of streams at once, on the transport ${transport}`, () => {
    let stage: Stage;
    const scenesOf = (name: string): readonly Scene[] =>
      stage.scenes.filter(({ fault }) => fault.name === name);
    before(async () => {
      stage = await openStage(playsOf(ROWS), transport);
    });
    after(() => stage.close());

    it('slow upstreams are all heard to their end, and cost little', async () => {
      const atStart = await stage.heldBytes();
      const asking = scenesOf('slow').flatMap(({ model }) =>
        Array.from({ length: DRIPPING }, () =>
          askStrictly({
            url: stage.program.url,
            path: '/v1/chat/completions',
            body: bodyFor(model),
            deadlineMs: 30_000,
          }),
        ),
      );
      await eventually(() => assert.equal(chatsOf(scenesOf('slow')), asking.length), PATIENCE_MS);
      const each = ((await stage.heldBytes()) - atStart) / asking.length;
      const answers = await Promise.all(asking);
      for (const one of answers) judge(one, answer(WORDS.join('')), 'stream');
      assert.ok(each < 64 * 1024, `a stream holds ${Math.round(each / 1024)} KiB`);
    });

    it('clients that take nothing hold their upstreams back, and at most 1 MiB each', async () => {
      const scenes = scenesOf('endless');
      const atStart = await stage.heldBytes();
      const resident = await residentBytes(stage);
      const sockets: Socket[] = [];
      // All at once they would be refused as too much load: the floods keep the loop busy until they are held back.
      while (sockets.length < STALLED) {
        for (const scene of scenes)
          sockets.push(...Array.from({ length: STALLED_TOGETHER }, () => askAndStall(stage, scene)));
        await eventually(() => assert.equal(chatsOf(scenes), sockets.length), PATIENCE_MS);
        await sleep(150);
      }
      let now = await residentBytes(stage);
      // It is full when it grows no more.
      for (let last = 0; now - last >= MIB; now = await residentBytes(stage)) {
        last = now;
        await sleep(500);
      }
      const each = (now - resident - GARBAGE_BYTES) / sockets.length;
      assert.ok(each < MIB, `a stalled client takes ${Math.round(each / 1024)} KiB`);
      for (const socket of sockets) socket.destroy();
      await eventually(() => {
        for (const { servers } of scenes) assert.equal(servers[0]?.open(), 0, 'the upstream is let go');
      }, PATIENCE_MS);
      await eventually(async () => {
        const left = ((await stage.heldBytes()) - atStart) / sockets.length;
        assert.ok(left < SLACK_BYTES, `${Math.round(left / 1024)} KiB stay behind each`);
      }, PATIENCE_MS);
    });
  });
}

/** Chats that the servers of some scenes have got. */
function chatsOf(scenes: readonly Scene[]): number {
  return scenes.reduce((sum, { servers }) => sum + (servers[0]?.chats() ?? 0), 0);
}
