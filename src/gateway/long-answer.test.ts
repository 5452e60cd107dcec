import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpResponse } from '../wire/http.ts';
import { PIECE_BYTES, sendLong } from './long-answer.ts';

/** A client's side: takes `room` pieces at a time, and leaves where it is told. */
function client(room: number): {
  readonly response: HttpResponse;
  readonly taken: Uint8Array[];
  readonly ended: () => boolean;
  leave(): void;
  drain(): void;
} {
  const taken: Uint8Array[] = [];
  let [left, ended, gone] = [room, false, false];
  let listener: (() => void) | undefined;
  const take = (chunk: Uint8Array | string | undefined): void => {
    if (chunk !== undefined) taken.push(Buffer.from(chunk));
  };
  const wake = (): void => {
    const waiting = listener;
    listener = undefined;
    waiting?.();
  };
  return {
    taken,
    ended: () => ended,
    leave: () => {
      gone = true;
      wake();
    },
    drain: () => {
      left = room;
      wake();
    },
    response: {
      started: true,
      get closed() {
        return ended || gone;
      },
      head: () => assert.fail('the head was sent already'),
      write: (chunk) => {
        take(chunk);
        left -= 1;
        return left > 0;
      },
      onDrain: (listen) => {
        assert.equal(listener, undefined, 'one wait at a time');
        listener = listen;
      },
      end: (chunk) => {
        take(chunk);
        ended = true;
      },
      destroy: () => assert.fail('nothing to cut'),
    },
  };
}

const BODY = Buffer.from(Array.from({ length: 4 * PIECE_BYTES + 5 }, (_, index) => index % 251));

for (const [length, pieces] of [
  [1, 1],
  [PIECE_BYTES, 1],
  [PIECE_BYTES + 1, 2],
  [2 * PIECE_BYTES, 2],
  [BODY.length, 5],
] as const) {
  test(`a body of ${length} bytes goes out whole, a piece whenever there is room`, () => {
    const body = BODY.subarray(0, length);
    for (const room of [1, 2, 10]) {
      const { response, taken, ended, drain } = client(room);
      const ends: boolean[] = [];
      sendLong(response, body, (complete) => ends.push(complete));
      while (!ended()) {
        assert.deepEqual(ends, []);
        drain();
      }
      assert.deepEqual(ends, [true]);
      assert.equal(taken.length, pieces);
      assert.deepEqual(Buffer.concat(taken), body);
    }
  });
}

test('a client that leaves in between is told of once, and gets nothing more', () => {
  const { response, taken, leave, drain } = client(2);
  const ends: boolean[] = [];
  sendLong(response, BODY, (complete) => ends.push(complete));
  leave();
  drain();
  assert.deepEqual(ends, [false]);
  assert.equal(taken.length, 2);
});

test('text counts in bytes', () => {
  const { response, taken, drain } = client(1);
  const text = 'ü'.repeat(PIECE_BYTES);
  sendLong(response, text, () => undefined);
  drain();
  assert.equal(Buffer.concat(taken).toString(), text);
  assert.equal(taken.length, 2);
});
