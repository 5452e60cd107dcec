import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { nextChat } from './arena.ts';
import type { ClientCase, Mode, Trial } from './client-case.ts';
import type { Behaviour } from './lane-script.ts';
import { RawClient } from './raw-client.ts';
import { chatBody, post } from './requests.ts';

/** How soon the upstream's connection must be closed after the client has left, in milliseconds. */
const CLOSED_WITHIN_MS = 100;
/** A shared machine holds any process up now and then: the best of some tries is what the program does. */
const TRIES = 4;

type Departure = {
  readonly when: string;
  readonly mode: Mode;
  readonly behaviour: Behaviour;
  /** What the client has heard when it leaves. */
  readonly heard?: string;
};

const DEPARTURES: readonly Departure[] = [
  { when: 'before the first token of a stream', mode: 'stream', behaviour: 'silent' },
  { when: 'in the middle of a stream', mode: 'stream', behaviour: 'halfway', heard: 'Hello' },
  { when: 'before a whole answer has begun', mode: 'whole', behaviour: 'silent' },
  { when: 'while a whole answer is still arriving', mode: 'whole', behaviour: 'halfway' },
];

const WAYS = [
  { how: 'leaves', leave: (client: RawClient): void => client.leave() },
  { how: 'is cut off (RST)', leave: (client: RawClient): void => client.reset() },
];

/** Milliseconds from the client's departure to the end of the upstream's connection. */
async function depart(
  trial: Trial,
  departure: Departure,
  leave: (client: RawClient) => void,
): Promise<number> {
  const { arena, lane, mode } = trial;
  const id = randomUUID();
  const client = await RawClient.open(arena.url);
  const arrival = nextChat(lane.upstream, lane.upstream.requests.length);
  const body = chatBody({ model: lane.model, says: departure.behaviour, stream: mode === 'stream' });
  client.write(post(body, [`X-Request-Id: ${id}`]));
  const request = await arrival;
  if (departure.heard !== undefined) await client.hears(departure.heard);
  const leftMs = performance.now();
  leave(client);
  const tookMs = (await request.closed) - leftMs;
  const line = await arena.outcome(id);
  assert.equal(line['outcome'], 'client_gone');
  assert.equal(line['level'], 'info', 'a departure is nobody’s failure');
  if (departure.heard !== undefined)
    assert.ok(Number(line['completionTokens']) >= 1, 'tokens so far are recorded');
  return tookMs;
}

function gone(metrics: string, model: string): number {
  const pattern = new RegExp(
    `^obelisk_requests_total\\{route="/v1/chat/completions",model="${model}",outcome="client_gone"\\} (\\d+)$`,
    'm',
  );
  return Number(pattern.exec(metrics)?.[1] ?? 0);
}

/** Row 31. */
export const DEPARTURES_CASES: readonly ClientCase[] = DEPARTURES.flatMap((departure) =>
  WAYS.map(({ how, leave }): ClientCase => ({
    row: 31,
    side: 'client',
    fault: `The client ${how} ${departure.when}.`,
    sees: 'Nothing more. The upstream’s connection is closed within 100 ms, so that it stops working; the outcome is `client_gone`, with the tokens so far.',
    modes: [departure.mode],
    async check(trial) {
      const before = gone(await trial.arena.metrics(), trial.lane.model);
      const times: number[] = [];
      do times.push(await depart(trial, departure, leave));
      while ((times.at(-1) ?? 0) > CLOSED_WITHIN_MS && times.length < TRIES);
      assert.ok(
        Math.min(...times) <= CLOSED_WITHIN_MS,
        `closed after ${times.map(Math.round).join(', ')} ms`,
      );
      assert.equal(gone(await trial.arena.metrics(), trial.lane.model), before + times.length);
    },
  })),
);
