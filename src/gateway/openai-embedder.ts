import type { Embedder, EmbeddingResult } from '../providers/chat.ts';
import { readEmbeddingList } from '../providers/openai/embedding-answer.ts';
import type { Deployment } from '../router/deployment.ts';
import { REMOTE_CLOCKS } from '../wire/upstream.ts';
import { afterHead } from './after-head.ts';
import type { OpenAiUpstream } from './openai-writer.ts';
import { toUpstreamRequest } from './pass-through-request.ts';
import type { UpstreamTarget } from './upstream-target.ts';
import { invalidAnswer, judgeWhole } from './whole-answer.ts';

/** Largest answer that is read, in bytes. */
const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Creates the embedders of OpenAI-compatible deployments, for clients of another dialect. They throw
 * ObeliskError as passing through does; Ollama's options and `keep_alive` mean nothing to them.
 *
 * @param hops The instances that the client's request has come through.
 */
export function createOpenAiEmbedder(
  { upstream, targetOf, unixMs }: OpenAiUpstream,
  hops: string,
): (deployment: Deployment) => Embedder {
  return (deployment) =>
    async ({ input, dimensions }, signal, { clocks = REMOTE_CLOCKS } = {}) => {
      const target = targetOf(deployment);
      const { model, defaults } = deployment;
      const fields = { ...defaults, ...(dimensions === undefined ? {} : { dimensions }), input, model };
      const body = Buffer.from(JSON.stringify(fields));
      const request = toUpstreamRequest(target, { path: '/embeddings', hops, body, clocks });
      const response = await upstream.request(request, signal);
      const answer = {
        status: response.status,
        headers: response.headers,
        body: await afterHead(response, () => response.bytes(ANSWER_LIMIT_BYTES)),
      };
      const judgement = judgeWhole(answer, { target, proof: 'data', stream: false, unixMs });
      if (judgement.kind === 'failure') throw judgement.error;
      return read(answer.body, { target, count: input.length });
    };
}

function read(
  body: Buffer,
  { target, count }: { readonly target: UpstreamTarget; readonly count: number },
): EmbeddingResult {
  const result = readEmbeddingList(JSON.parse(body.toString()));
  if (result?.vectors.length === count) return result;
  throw invalidAnswer(`did not send one embedding for each of ${count} texts`, target);
}
