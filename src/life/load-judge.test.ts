import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oldGenerationLimit } from './heap-share.ts';
import { LoadJudge } from './load-judge.ts';

const CALM = { latenessMs: 2, heapShare: 0.3 };

function judged(...samples: readonly { latenessMs: number; heapShare: number }[]): LoadJudge {
  const judge = new LoadJudge();
  for (const sample of samples) judge.take(sample);
  return judge;
}

const times = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);

test('one long block is an overload until the loop has been calm for a second', () => {
  const blocked = { ...CALM, latenessMs: 1_000 };
  assert.equal(judged({ ...CALM, latenessMs: 999 }).shortage, undefined);
  assert.equal(judged(blocked).shortage, 'event_loop');
  assert.equal(judged(blocked, ...times(9, CALM)).shortage, 'event_loop');
  assert.equal(judged(blocked, ...times(10, CALM)).shortage, undefined);
});

test('a single late tick begins the second of calm anew', () => {
  const late = { ...CALM, latenessMs: 300 };
  const judge = judged({ ...CALM, latenessMs: 2_000 }, ...times(9, CALM), late, ...times(9, CALM));
  assert.equal(judge.shortage, 'event_loop');
  judge.take(CALM);
  assert.equal(judge.shortage, undefined);
});

test('a loop that is always late is an overload though it is never blocked, a burst is none', () => {
  const slow = { ...CALM, latenessMs: 550 };
  assert.equal(judged(...times(3, slow), ...times(7, CALM)).shortage, undefined);
  assert.equal(judged(...times(10, slow)).shortage, 'event_loop');
  assert.equal(judged(...times(30, { ...CALM, latenessMs: 450 })).shortage, undefined);
});

test('a heap is full at nine tenths and no longer only below 85 hundredths', () => {
  const judge = judged({ ...CALM, heapShare: 0.89 });
  const at = (heapShare: number): string | undefined => {
    judge.take({ ...CALM, heapShare });
    return judge.shortage;
  };
  assert.equal(judge.shortage, undefined);
  assert.deepEqual([0.9, 0.86, 0.85, 0.84, 0.89].map(at), ['heap', 'heap', 'heap', undefined, undefined]);
});

test('the limit of the old generation is the one that was given, the last one counts', () => {
  const GIB = 2 ** 30;
  assert.equal(oldGenerationLimit(['--max-old-space-size=256', '--max_old_space_size=512'], GIB), GIB / 2);
  const byDefault = oldGenerationLimit(['--max-semi-space-size=16', ''], 4_288 * 2 ** 20);
  assert.equal(byDefault, 4_096 * 2 ** 20);
});
