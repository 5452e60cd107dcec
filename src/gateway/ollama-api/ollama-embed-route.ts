import type { Embedder, EmbeddingRequest, EmbeddingResult } from '../../providers/chat.ts';
import {
  parseDoorEmbed,
  parseDoorEmbedOne,
  toDoorEmbed,
  toDoorEmbedOne,
} from '../../providers/ollama/door/door-embed.ts';
import type { Deployment, ModelRegistry } from '../../router/deployment.ts';
import { isPassedThrough, isUpstream } from '../answering.ts';
import type { Call } from '../call.ts';
import { noEmbeddings } from '../embeddings-route.ts';
import type { Embedders } from '../embeddings-route.ts';
import { createOpenAiEmbedder } from '../openai-embedder.ts';
import type { OpenAiUpstream } from '../openai-writer.ts';
import { parseWithDefaults, readJsonBody } from '../request-body.ts';
import { findModel } from '../resolve-model.ts';
import type { FoundModel } from '../resolve-model.ts';
import { TIMING_HEADER, toTimingHeader } from '../timing-header.ts';
import { IGNORED_HEADER } from '../../providers/ignored-header.ts';
import { askGroup } from './ask-group.ts';
import type { GroupQuestion } from './ask-group.ts';
import { doorModelName } from './door-model.ts';
import { changeRunner } from './ollama-load.ts';
import type { LoadOptions } from './ollama-load.ts';

/** What the routes of Ollama's API that embed are made of. */
export type OllamaEmbedOptions = OpenAiUpstream &
  LoadOptions & {
    readonly registry: ModelRegistry;
    readonly embedders: Embedders;
    readonly monotonicMs: () => number;
  };

type Dialect = {
  parse(body: unknown): EmbeddingRequest;
  answer(request: EmbeddingRequest, result: EmbeddingResult, totalMs: number): string;
};

const MANY: Dialect = {
  parse: parseDoorEmbed,
  answer: ({ model }, result, totalMs) => toDoorEmbed(model, result, totalMs),
};
const ONE: Dialect = { parse: parseDoorEmbedOne, answer: (_request, result) => toDoorEmbedOne(result) };

/** Creates `POST /api/embed`. */
export function createOllamaEmbedRoute(options: OllamaEmbedOptions): (call: Call) => Promise<void> {
  return (call) => embed(call, MANY, options);
}

/** Creates `POST /api/embeddings`, the older one, for a single text. */
export function createOllamaEmbeddingsRoute(options: OllamaEmbedOptions): (call: Call) => Promise<void> {
  return (call) => embed(call, ONE, options);
}

async function embed(call: Call, dialect: Dialect, options: OllamaEmbedOptions): Promise<void> {
  const startedMs = options.monotonicMs();
  const request = dialect.parse(parseWithDefaults(await readJsonBody(call.request), {}));
  const { registry } = options;
  const found = await findModel(registry, doorModelName(registry, request.model), 'embedding');
  call.model = found.deployment.modelName;
  if (!isUpstream(found.deployment)) throw noEmbeddings(found.deployment);
  const headers: Record<string, string> = {};
  try {
    const asked = { found, request, headers };
    const result = await (request.input.length === 0 ? embedNothing : embedTexts)(call, asked, options);
    call.timing = result.timing;
    if (result.timing) headers[TIMING_HEADER] = toTimingHeader(result.timing);
    call.json(200, dialect.answer(request, result, options.monotonicMs() - startedMs), headers);
  } catch (error) {
    call.fail(error, headers);
  }
}

type Asked = {
  readonly found: FoundModel;
  readonly request: EmbeddingRequest;
  /** Of the answer, whatever it is. */
  readonly headers: Record<string, string>;
};

async function embedNothing(
  call: Call,
  { found, request, headers }: Asked,
  options: OllamaEmbedOptions,
): Promise<EmbeddingResult> {
  await changeRunner(call, { found, request, headers }, options);
  return { vectors: [], promptTokens: 0 };
}

function embedTexts(
  call: Call,
  { found, request, headers }: Asked,
  options: OllamaEmbedOptions,
): Promise<EmbeddingResult> {
  const openAi = createOpenAiEmbedder(options, call.hops);
  const embedderOf = (deployment: Deployment): Embedder => {
    if (deployment.dialect === 'ollama') return options.embedders.ollama(deployment);
    if (!isPassedThrough(deployment)) throw noEmbeddings(deployment);
    const ignored = ignoredBy(request);
    if (ignored.length > 0) headers[IGNORED_HEADER] = ignored.join(', ');
    const write = openAi(deployment);
    return async (...asked) => normalised(await write(...asked));
  };
  const question: GroupQuestion<EmbeddingResult> = {
    found,
    headers,
    prepare(deployment) {
      const ask = embedderOf(deployment);
      return (signal, context) => ask(request, signal, context);
    },
    usageOf: ({ promptTokens }) => ({ promptTokens, completionTokens: 0 }),
  };
  return askGroup(call, question, options);
}

function ignoredBy({ options, keepAlive, truncate }: EmbeddingRequest): readonly string[] {
  return [
    ...Object.keys(options),
    ...(keepAlive === undefined ? [] : ['keep_alive']),
    ...(truncate === undefined ? [] : ['truncate']),
  ].sort();
}

/** Vectors of Ollama's have the length 1, and its clients compare them by their product alone. */
function normalised(result: EmbeddingResult): EmbeddingResult {
  return { ...result, vectors: result.vectors.map(toUnit) };
}

function toUnit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
