/**
 * Fills in what Node and the codec make of those entries of the corpus that do not say it yet; what they
 * say is never changed. Whoever adds an entry reads what it wrote.
 */
import { writeFileSync } from 'node:fs';
import { readWithCodecClient } from './codec-client.ts';
import {
  CORPUS_FILES,
  answeredOutcome,
  inputOf,
  readCorpus,
  requestOutcome,
  responseOutcome,
  servedOutcome,
} from './corpus.ts';
import { readWithCodecServer } from './codec-server.ts';
import { RequestOracle } from './request-oracle.ts';
import { ResponseOracle } from './response-oracle.ts';

const requests = [];
const requestOracle = new RequestOracle();
for (const entry of readCorpus(CORPUS_FILES.requests)) {
  const input = inputOf(entry);
  requests.push({
    ...entry,
    node: entry.node ?? requestOutcome(requestOracle.read(input)),
    codec: entry.codec ?? servedOutcome(await readWithCodecServer(input, 'reads')),
  });
}
writeFileSync(CORPUS_FILES.requests, `${JSON.stringify(requests, undefined, 2)}\n`);

const responses = [];
const responseOracle = new ResponseOracle();
for (const entry of readCorpus(CORPUS_FILES.responses)) {
  const input = inputOf(entry);
  responses.push({
    ...entry,
    node: entry.node ?? responseOutcome(await responseOracle.read(input)),
    codec: entry.codec ?? answeredOutcome(await readWithCodecClient(input)),
  });
}
writeFileSync(CORPUS_FILES.responses, `${JSON.stringify(responses, undefined, 2)}\n`);
