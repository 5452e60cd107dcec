import type { z } from 'zod';

import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import type { OllamaChatBody } from '../../providers/ollama/chat-request.ts';
import { toOllamaChatLine } from '../../providers/ollama/chat-line.ts';
import type { OllamaChatLine } from '../../providers/ollama/chat-line.ts';
import { toOllamaEmbedded } from '../../providers/ollama/embed.ts';
import type { OllamaEmbedBody, OllamaEmbedded } from '../../providers/ollama/embed.ts';
import { LOCAL_CLOCKS } from '../../wire/upstream.ts';
import type { Clocks } from '../../wire/upstream.ts';

import { runningModels, showResponse, statusBody, tagList, versionBody } from './api-types.ts';
import type { OllamaGenerated, OllamaRunning, OllamaShow, OllamaStatus, OllamaTag } from './api-types.ts';
import { hasOllamaBlob, uploadOllamaBlob } from './blobs.ts';
import { readOllamaJson, readOllamaLines } from './exchange.ts';
import type { OllamaCall, OllamaExchangeOptions } from './exchange.ts';
import { readGenerated, readRunnerChange } from './generated.ts';
import { readProgress } from './pull-progress.ts';
import type { OllamaProgress } from './pull-progress.ts';
import type {
  OllamaCreateBody,
  OllamaGenerateBody,
  OllamaLoadBody,
  OllamaShowBody,
  OllamaTransferBody,
  OllamaUpload,
} from './request-types.ts';

/**
 * Ollama's native API, as far as Obelisk uses it. Every call throws ObeliskError naming the host: the
 * code of Ollama's own text, also where it stands inside a 200; `upstream_*`, and `client_gone` when its
 * signal aborts, which closes the connection, before the head of the answer as well. Its deadlines are
 * the clocks: those of the kind of call unless others are given.
 */
export type OllamaClient = {
  /** Base URL without a trailing slash. */
  readonly url: string;
  /** `GET /api/version`; a server built from source says `0.0.0`. */
  version(signal?: AbortSignal, clocks?: Clocks): Promise<string>;
  /** `GET /api/status`: whether its cloud is off; servers before 0.17 do not have it. */
  status(signal?: AbortSignal, clocks?: Clocks): Promise<OllamaStatus>;
  /** `GET /api/tags`: the installed models. */
  tags(signal?: AbortSignal, clocks?: Clocks): Promise<readonly OllamaTag[]>;
  /** `POST /api/show`: what one model is; looked up within `clocks` where they are shorter than its own. */
  show(model: string | OllamaShowBody, signal?: AbortSignal, clocks?: Clocks): Promise<OllamaShow>;
  /** `GET /api/ps`: the loaded models; one that is still loading is not among them. */
  ps(signal?: AbortSignal, clocks?: Clocks): Promise<readonly OllamaRunning[]>;
  /** `POST /api/chat`: the lines of the stream. Nothing arrives before the first token. */
  chat(body: OllamaChatBody, signal: AbortSignal, clocks?: Clocks): AsyncIterable<OllamaChatLine>;
  /** `POST /api/generate`: the lines of the stream, the last one `done`. */
  generate(body: OllamaGenerateBody, signal: AbortSignal, clocks?: Clocks): AsyncIterable<OllamaGenerated>;
  /** `POST /api/embed`: a vector for each text. */
  embed(body: OllamaEmbedBody, signal: AbortSignal, clocks?: Clocks): Promise<OllamaEmbedded>;
  /** Loads a model without asking it anything: minutes of silence for a large one. */
  load(body: OllamaLoadBody, signal?: AbortSignal, clocks?: Clocks): Promise<void>;
  /**
   * Ends the runner of a model once it has answered what it was asked; fine where there is none. `ps`
   * lists it for a moment more.
   */
  unload(model: string, signal?: AbortSignal, clocks?: Clocks): Promise<void>;
  /**
   * `POST /api/pull`: the steps of a download, ended by `success`. Leaving the loop cancels it; asking
   * again goes on from where it was.
   */
  pull(
    model: string | OllamaTransferBody,
    signal: AbortSignal,
    clocks?: Clocks,
  ): AsyncIterable<OllamaProgress>;
  /** `POST /api/push`: the steps of an upload to a registry, ended by `success`. */
  push(
    model: string | OllamaTransferBody,
    signal: AbortSignal,
    clocks?: Clocks,
  ): AsyncIterable<OllamaProgress>;
  /**
   * `POST /api/create`: the steps to a new model, ended by `success`. Where `from` must be pulled, the
   * `success` of the pull comes first. Leaving the loop leaves the model unwritten.
   */
  create(body: OllamaCreateBody, signal: AbortSignal, clocks?: Clocks): AsyncIterable<OllamaProgress>;
  /** `DELETE /api/delete`. */
  remove(model: string, signal?: AbortSignal, clocks?: Clocks): Promise<void>;
  /** `POST /api/copy`: gives a model a second name. */
  copy(source: string, destination: string, signal?: AbortSignal): Promise<void>;
  /** `HEAD /api/blobs/…`: whether the bytes are there already. */
  hasBlob(digest: string, signal?: AbortSignal): Promise<boolean>;
  /**
   * `POST /api/blobs/…`: uploads bytes as they are read, at the host's pace; `onSent` hears the sum of
   * what has left. The host refuses bytes of another digest, and keeps nothing of a broken upload.
   */
  uploadBlob(blob: OllamaUpload, signal?: AbortSignal, onSent?: (bytes: number) => void): Promise<void>;
};

/** What a client is made of. */
export type OllamaClientOptions = OllamaExchangeOptions & {
  /** Clocks of calls that load or run a model; those of a local server unless told. */
  readonly clocks?: Clocks;
  /** Clocks of calls that only look something up. */
  readonly lookClocks?: Clocks;
  /** Clocks of pulls, pushes, creations and uploads. */
  readonly transferClocks?: Clocks;
};

/** Calls that only look things up answer soon, or the host is not there. */
const LOOK_CLOCKS: Clocks = { connectMs: 2_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 10_000 };
/**
 * A transfer lasts as long as it lasts. Ollama reports on it several times a second, but says nothing
 * while it takes the digest of a layer or converts a model, which is minutes for a large one.
 */
const TRANSFER_CLOCKS: Clocks = { ...LOCAL_CLOCKS, idleMs: 1_800_000, totalMs: 86_400_000 };

/** Creates a client for one host. It holds no connections: those belong to `upstream`. */
export function createOllamaClient(options: OllamaClientOptions): OllamaClient {
  const clocks = options.clocks ?? LOCAL_CLOCKS;
  return {
    url: options.url,
    ...lookingCalls(options),
    ...modelCalls(options, clocks),
    ...transferCalls(options),
    async remove(model, signal, own = clocks) {
      const call: OllamaCall = { method: 'DELETE', path: '/api/delete', body: { model }, model, clocks: own };
      await readOllamaJson(options, call, signal);
    },
    async copy(source, destination, signal) {
      const call = post('/api/copy', { source, destination }, { model: source, clocks });
      await readOllamaJson(options, call, signal);
    },
    hasBlob: (digest, signal) =>
      hasOllamaBlob(options, { digest, clocks: options.lookClocks ?? LOOK_CLOCKS }, signal),
    uploadBlob: (blob, signal, onSent) =>
      uploadOllamaBlob(options, { blob, clocks: options.transferClocks ?? TRANSFER_CLOCKS, onSent }, signal),
  };
}

type Within = readonly [signal?: AbortSignal | undefined, clocks?: Clocks | undefined];

type Looking = Pick<OllamaClient, 'version' | 'status' | 'tags' | 'show' | 'ps'>;

function lookingCalls(options: OllamaClientOptions): Looking {
  const look = async <T>(
    schema: z.ZodType<T>,
    call: Omit<OllamaCall, 'clocks'> & { readonly clocks: Clocks | undefined },
    signal?: AbortSignal,
  ): Promise<T> => {
    const own = options.lookClocks ?? LOOK_CLOCKS;
    const within = call.clocks === undefined ? own : shorter(own, call.clocks);
    const parsed = schema.safeParse(await readOllamaJson(options, { ...call, clocks: within }, signal));
    if (parsed.success) return parsed.data;
    const message = `ollama ${options.url}: ${call.path} did not answer as Ollama does`;
    throw new ObeliskError('upstream_invalid', message);
  };
  const get = <T>(schema: z.ZodType<T>, path: string, more: Within): Promise<T> =>
    look(schema, { method: 'GET', path, clocks: more[1] }, more[0]);
  return {
    version: async (...more) => (await get(versionBody, '/api/version', more)).version,
    status: (...more) => get(statusBody, '/api/status', more),
    tags: async (...more) => (await get(tagList, '/api/tags', more)).models,
    show(asked, signal, within) {
      const body = typeof asked === 'string' ? { model: asked } : asked;
      const call = { method: 'POST', path: '/api/show', body, model: body.model, clocks: within } as const;
      return look(showResponse, call, signal);
    },
    ps: async (...more) => (await get(runningModels, '/api/ps', more)).models,
  };
}

type Models = Pick<OllamaClient, 'chat' | 'generate' | 'embed' | 'load' | 'unload'>;

function modelCalls(options: OllamaClientOptions, clocks: Clocks): Models {
  return {
    async *chat(body, signal, own = clocks) {
      const { model } = body;
      const from = { host: options.url, model };
      const call = post('/api/chat', body, { model, clocks: own });
      for await (const line of readOllamaLines(options, call, signal)) yield toOllamaChatLine(line, from);
    },
    generate(body, signal, own = clocks) {
      const call = post('/api/generate', { ...body, stream: true }, { model: body.model, clocks: own });
      return readGenerated(readOllamaLines(options, call, signal), { host: options.url, model: body.model });
    },
    async embed(body, signal, own = clocks) {
      const call = post('/api/embed', body, { model: body.model, clocks: own });
      return toOllamaEmbedded(await readOllamaJson(options, call, signal), options.url);
    },
    load: (body, signal, own = clocks) =>
      readRunnerChange(options, { body, clocks: own, to: 'load' }, signal),
    unload: (model, signal, own = clocks) =>
      readRunnerChange(options, { body: { model, keep_alive: 0 }, clocks: own, to: 'unload' }, signal),
  };
}

function transferCalls(options: OllamaClientOptions): Pick<OllamaClient, 'pull' | 'push' | 'create'> {
  const within = options.transferClocks ?? TRANSFER_CLOCKS;
  const steps =
    (path: string, what: string) =>
    (asked: string | { readonly model: string }, signal: AbortSignal, clocks = within) => {
      const body = typeof asked === 'string' ? { model: asked } : asked;
      const { model } = body;
      const call = post(path, { ...body, stream: true }, { model, clocks });
      return readProgress(readOllamaLines(options, call, signal), { host: options.url, model, what });
    };
  return {
    pull: steps('/api/pull', 'the download'),
    push: steps('/api/push', 'the upload'),
    create: steps('/api/create', 'the creation'),
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
