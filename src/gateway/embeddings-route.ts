import { ObeliskError } from '../shared/errors.ts';
import type { Embedder, EmbeddingResult } from '../providers/chat.ts';
import { parseEmbeddingRequest, toEmbeddingBody } from '../providers/openai/embedding-body.ts';
import type { ParsedEmbedding } from '../providers/openai/embedding-body.ts';
import type { Attempts } from '../router/attempts.ts';
import type { Balancer } from '../router/balancer.ts';
import type { Deployment, ModelRegistry } from '../router/deployment.ts';
import type { Scan } from '../wire/json-scan.ts';
import { isPassedThrough, isUpstream } from './answering.ts';
import type { Answering } from './answering.ts';
import type { Call } from './call.ts';
import { embedContext } from './embed-context.ts';
import { passThrough } from './pass-through.ts';
import type { PassThroughDependencies } from './pass-through-request.ts';
import { parseWithDefaults, readJsonBody } from './request-body.ts';
import { findModel } from './resolve-model.ts';
import { askInTurn } from './routed-attempts.ts';
import { TIMING_HEADER, toTimingHeader } from './timing-header.ts';
import { untilGone } from './until-gone.ts';

/** Who makes the embeddings of deployments that do not speak OpenAI's dialect. */
export type Embedders = { readonly ollama: (deployment: Deployment) => Embedder };

/** What the embeddings route is made of. */
export type EmbeddingsRouteOptions = PassThroughDependencies & {
  readonly registry: ModelRegistry;
  readonly balancer: Balancer;
  readonly embedders: Embedders;
};

/** Creates `POST /v1/embeddings`. */
export function createEmbeddingsRoute(options: EmbeddingsRouteOptions): (call: Call) => Promise<void> {
  return async (call) => {
    const scan = await readJsonBody(call.request);
    const asked = scan.value('model');
    const found = findModel(options.registry, asked, 'embedding');
    const { deployment, group } = found instanceof Promise ? await found : found;
    call.model = deployment.modelName;
    if (!isUpstream(deployment)) throw noEmbeddings(deployment);
    const attempts = options.balancer.begin(group);
    await new RoutedEmbedding(call, { scan, asked, attempts }, options).answer();
  };
}

type Embedded = ParsedEmbedding & { readonly result: EmbeddingResult };

type AskedEmbedding = { readonly scan: Scan; readonly asked: unknown; readonly attempts: Attempts };

/** A request for embeddings on its way through the deployments of a name, of whatever dialects. */
class RoutedEmbedding {
  readonly #call: Call;
  readonly #asked: AskedEmbedding;
  readonly #options: EmbeddingsRouteOptions;
  readonly #answering: Answering;
  readonly #headers: Record<string, string> = {};

  constructor(call: Call, asked: AskedEmbedding, options: EmbeddingsRouteOptions) {
    this.#call = call;
    this.#asked = asked;
    this.#options = options;
    this.#answering = { attempts: asked.attempts, events: undefined, elsewhere: () => void this.answer() };
  }

  /** Answers with the deployment whose turn it is, and those after it. */
  async answer(): Promise<void> {
    const { scan, asked, attempts } = this.#asked;
    try {
      if (!isPassedThrough(attempts.deployment) && (await this.#embed())) return;
      const about = {
        path: '/embeddings',
        proof: 'data',
        stream: false,
        stripUsage: false,
        several: false,
      } as const;
      passThrough(this.#call, { answering: this.#answering, scan, asked, ...about }, this.#options);
    } catch (error) {
      attempts.abandoned();
      this.#call.fail(error, this.#headers);
    }
  }

  /** Embeds until an answer is sent; false where the next deployment is passed through. */
  async #embed(): Promise<boolean> {
    const { scan, attempts } = this.#asked;
    const { embedders, metrics } = this.#options;
    const headers = this.#headers;
    const call = this.#call;
    const routed = { call, answering: this.#answering, metrics };
    const work = (signal: AbortSignal): Promise<Embedded | undefined> =>
      askInTurn(
        routed,
        {
          prepare: (deployment) => {
            if (deployment.dialect !== 'ollama') throw noEmbeddings(deployment);
            const parsed = parseEmbeddingRequest(parseWithDefaults(scan, deployment.defaults));
            const embed = embedders.ollama(deployment);
            return async () => ({
              ...parsed,
              result: await embed(parsed.request, signal, embedContext(call, attempts, headers)),
            });
          },
          usageOf: ({ result }) => ({ promptTokens: result.promptTokens, completionTokens: 0 }),
        },
        signal,
      );
    const embedded = await untilGone(call, work, headers);
    if (embedded === undefined) return false;
    const { result, request, encoding } = embedded;
    call.timing = result.timing;
    if (result.timing) headers[TIMING_HEADER] = toTimingHeader(result.timing);
    call.json(200, toEmbeddingBody(result, request.model, encoding), headers);
    return true;
  }
}

/** The error for a model that cannot embed. */
export function noEmbeddings(deployment: Deployment): ObeliskError {
  return new ObeliskError('unsupported', `${deployment.modelName} makes no embeddings`, { param: 'model' });
}
