import { z } from 'zod';

import { isObeliskError, ObeliskError } from '../shared/errors.ts';
import type { OllamaChatBody } from '../providers/ollama/chat-request.ts';
import type { OllamaEmbedBody } from '../providers/ollama/embed.ts';
import { LOCAL_CLOCKS } from '../wire/upstream.ts';
import type { Clocks } from '../wire/upstream.ts';

import { runningModels, showResponse, tagList } from './api-types.ts';
import type { OllamaRunning, OllamaShow, OllamaTag } from './api-types.ts';
import { readOllamaJson, readOllamaLines } from './exchange.ts';
import type { OllamaCall, OllamaExchangeOptions } from './exchange.ts';
import { readPull } from './pull-progress.ts';
import type { OllamaProgress } from './pull-progress.ts';

/** Ollama's native API, as far as Obelisk uses it. Every call throws ObeliskError naming the host. */
export type OllamaClient = {
  /** Base URL without a trailing slash. */
  readonly url: string;
  /** `GET /api/version`; a server built from source says `0.0.0`. */
  version(signal?: AbortSignal): Promise<string>;
  /** `GET /api/tags`: the installed models. */
  tags(signal?: AbortSignal): Promise<readonly OllamaTag[]>;
  /** `POST /api/show`: what one model is; looked up within `clocks` where they are shorter than its own. */
  show(model: string, signal?: AbortSignal, clocks?: Clocks): Promise<OllamaShow>;
  /** `GET /api/ps`: the loaded models; one that is still loading is not among them. */
  ps(signal?: AbortSignal): Promise<readonly OllamaRunning[]>;
  /** `POST /api/chat`: the lines of the stream as JSON. Nothing arrives before the first token. */
  chat(body: OllamaChatBody, signal: AbortSignal, clocks?: Clocks): AsyncIterable<unknown>;
  /** `POST /api/embed`: the answer as JSON. */
  embed(body: OllamaEmbedBody, signal: AbortSignal, clocks?: Clocks): Promise<unknown>;
  /**
   * `POST /api/pull`: the steps of a download, ended by `success`. Leaving the loop cancels it; asking
   * again goes on from where it was.
   */
  pull(model: string, signal: AbortSignal): AsyncIterable<OllamaProgress>;
  /** `DELETE /api/delete`. */
  remove(model: string, signal?: AbortSignal): Promise<void>;
  /** `POST /api/copy`: gives a model a second name. */
  copy(source: string, destination: string, signal?: AbortSignal): Promise<void>;
};

/** What a client is made of. */
export type OllamaClientOptions = OllamaExchangeOptions & {
  /** Clocks of calls that load or run a model; those of a local server unless told. */
  readonly clocks?: Clocks;
  /** Clocks of calls that only look something up. */
  readonly lookClocks?: Clocks;
};

/** Calls that only look things up answer soon, or the host is not there. */
const LOOK_CLOCKS: Clocks = { connectMs: 2_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 10_000 };
/** A download lasts as long as it lasts, but Ollama reports on it several times a second. */
const PULL_CLOCKS: Clocks = { ...LOCAL_CLOCKS, totalMs: 86_400_000 };

const versionBody = z.lazy(() => z.object({ version: z.string() }));

/** Creates a client for one host. It holds no connections: those belong to `upstream`. */
export function createOllamaClient(options: OllamaClientOptions): OllamaClient {
  const { url } = options;
  const clocks = options.clocks ?? LOCAL_CLOCKS;
  const look = async <T>(
    schema: z.ZodType<T>,
    call: Omit<OllamaCall, 'clocks'> & { readonly clocks?: Clocks | undefined },
    signal?: AbortSignal,
  ): Promise<T> => {
    const own = options.lookClocks ?? LOOK_CLOCKS;
    const within = call.clocks === undefined ? own : shorter(own, call.clocks);
    const parsed = schema.safeParse(await readOllamaJson(options, { ...call, clocks: within }, signal));
    if (parsed.success) return parsed.data;
    throw new ObeliskError('upstream_invalid', `ollama ${url}: ${call.path} did not answer as Ollama does`);
  };
  return {
    url,
    version: async (signal) =>
      (await look(versionBody, { method: 'GET', path: '/api/version' }, signal)).version,
    tags: async (signal) => (await look(tagList, { method: 'GET', path: '/api/tags' }, signal)).models,
    show: (model, signal, within) =>
      look(
        showResponse,
        { method: 'POST', path: '/api/show', body: { model }, model, clocks: within },
        signal,
      ),
    ps: async (signal) => (await look(runningModels, { method: 'GET', path: '/api/ps' }, signal)).models,
    chat: (body, signal, own = clocks) =>
      readOllamaLines(options, post('/api/chat', body, { model: body.model, clocks: own }), signal),
    embed: (body, signal, own = clocks) =>
      readOllamaJson(options, post('/api/embed', body, { model: body.model, clocks: own }), signal),
    pull(model, signal) {
      const call = post('/api/pull', { model }, { model, clocks: PULL_CLOCKS });
      return readPull(readOllamaLines(options, call, signal), { host: url, model });
    },
    async remove(model, signal) {
      const call: OllamaCall = { method: 'DELETE', path: '/api/delete', body: { model }, model, clocks };
      await readOllamaJson(options, call, signal);
    },
    async copy(source, destination, signal) {
      const call = post('/api/copy', { source, destination }, { model: source, clocks });
      await readOllamaJson(options, call, signal);
    },
  };
}

function post(path: string, body: object, more: Pick<OllamaCall, 'clocks' | 'model'>): OllamaCall {
  return { method: 'POST', path, body, ...more };
}

/** The shorter of each. */
function shorter(a: Clocks, b: Clocks): Clocks {
  return {
    connectMs: Math.min(a.connectMs, b.connectMs),
    firstByteMs: Math.min(a.firstByteMs, b.firstByteMs),
    idleMs: Math.min(a.idleMs, b.idleMs),
    totalMs: Math.min(a.totalMs, b.totalMs),
  };
}

/** Whether an error means that the host is not there (and not that one request was wrong). */
export function isHostAway(error: unknown): boolean {
  return (
    isObeliskError(error) && (error.code === 'upstream_unreachable' || error.code === 'upstream_timeout')
  );
}
