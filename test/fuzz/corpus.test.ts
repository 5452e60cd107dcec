import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWithCodecClient } from './codec-client.ts';
import { readWithCodecServer } from './codec-server.ts';
import {
  CORPUS_FILES,
  answeredOutcome,
  bytesOf,
  inputOf,
  readCorpus,
  requestOutcome,
  responseOutcome,
  servedOutcome,
} from './corpus.ts';
import { byteByByte, cutAt } from './cut.ts';
import { RequestOracle } from './request-oracle.ts';
import { requestDisagreement } from './requests-agree.ts';
import { ResponseOracle } from './response-oracle.ts';
import { responseDisagreement } from './responses-agree.ts';

const requests = readCorpus(CORPUS_FILES.requests);
const responses = readCorpus(CORPUS_FILES.responses);
const requestOracle = new RequestOracle();
const responseOracle = new ResponseOracle();
const MAX_SINGLE_BYTES = 2_000;

test('the corpus has names to speak of, and holds what is accepted as well as what is refused', () => {
  for (const entries of [requests, responses]) {
    assert.equal(new Set(entries.map(({ name }) => name)).size, entries.length);
    assert.ok(entries.filter(({ node }) => node?.at(-1) === 'refused').length > 50);
    assert.ok(entries.filter(({ node }) => node?.at(-1) !== 'refused').length > 50);
  }
});

test('Node and the codec read every request of the corpus as it says', async () => {
  for (const entry of requests) {
    const input = inputOf(entry);
    assert.deepEqual(requestOutcome(requestOracle.read(input)), entry.node, `Node: ${entry.name}`);
    assert.deepEqual(
      servedOutcome(await readWithCodecServer(input, 'reads')),
      entry.codec,
      `codec: ${entry.name}`,
    );
  }
});

test('Node and the codec read every response of the corpus as it says', async () => {
  for (const entry of responses) {
    const input = inputOf(entry);
    assert.deepEqual(responseOutcome(await responseOracle.read(input)), entry.node, `Node: ${entry.name}`);
    assert.deepEqual(answeredOutcome(await readWithCodecClient(input)), entry.codec, `codec: ${entry.name}`);
  }
});

/** Whole, halved, and in single bytes. */
function cutsOf(bytes: Buffer): (readonly Buffer[])[] {
  const cuts: (readonly Buffer[])[] = [[bytes], cutAt(bytes, [bytes.length >> 1])];
  if (bytes.length <= MAX_SINGLE_BYTES) cuts.push(byteByByte(bytes));
  return cuts;
}

test('the codec takes no request of the corpus otherwise than Node, however it is cut and answered', async () => {
  for (const entry of requests) {
    for (const pieces of cutsOf(bytesOf(entry))) {
      for (const behaviour of ['reads', 'ignores', 'late'] as const) {
        const input = { ...inputOf(entry), pieces, behaviour };
        assert.equal(
          await requestDisagreement(requestOracle, input),
          undefined,
          `${entry.name} (${behaviour})`,
        );
      }
    }
  }
});

test('the codec takes no response of the corpus otherwise than Node, however it is cut and whatever came before', async () => {
  for (const entry of responses) {
    for (const pieces of cutsOf(bytesOf(entry))) {
      for (const earlier of ['none', 'length', 'chunked', 'head']) {
        const input = { ...inputOf(entry), pieces, earlier };
        assert.equal(
          await responseDisagreement(responseOracle, input),
          undefined,
          `${entry.name} (${earlier})`,
        );
      }
    }
  }
});
