import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Campaign } from './campaign.ts';

/** The same cases in every run: a failure here is a change of the codec or of Node. */
const FIRST_SEED = 20_000;
const ROUNDS = 160;

test('the codec accepts nothing that Node refuses and frames nothing otherwise, in the cases of a fixed seed', async () => {
  const campaign = new Campaign();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed += 1) {
    const { disagreement } = await campaign.round(seed);
    assert.equal(disagreement, undefined, JSON.stringify(disagreement));
  }
});
