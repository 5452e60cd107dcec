import path from 'node:path';

import { ObeliskError } from '../../shared/errors.ts';
import { ollamaModelKey } from '../../shared/ollama-model-name.ts';
import type { OllamaTag } from '../api/api-types.ts';
import type { OllamaClient } from '../api/client.ts';
import type { JobSpec } from '../control-plane.ts';
import type { CreateOrder, OnReading, PreparedCreate } from '../create/prepare-create.ts';
import { notUploaded } from '../api/blobs.ts';
import type { OllamaProgress } from '../api/pull-progress.ts';
import { runnerOf } from '../api/runner-of.ts';
import type { OllamaBlob, OllamaTransferBody } from '../api/request-types.ts';
import { parseModelReference, requireRegistry, transferBody } from './model-reference.ts';
import type { RegistryRules } from './model-reference.ts';
import { toldSteps } from './told-steps.ts';

/** What jobs need of the rest of the program. */
export type JobTools = {
  readonly rules: () => RegistryRules;
  /**
   * Reads what a model is made of, and takes the digests of its files.
   * @throws ObeliskError `invalid_request` for what cannot be read or made.
   */
  readonly prepareCreate: (
    order: CreateOrder,
    signal: AbortSignal,
    onReading?: OnReading,
  ) => Promise<PreparedCreate>;
  /**
   * Loads a model with what its requests will carry, or they would load it again.
   * @throws ObeliskError for a model that may not be loaded, `upstream_*`.
   */
  readonly load: (
    spec: Extract<JobSpec, { kind: 'load' }>,
    host: string,
    signal: AbortSignal,
  ) => Promise<void>;
  /** Looks at what models a host has: whoever is told that one is there may ask it at once. */
  readonly lookAt?: (host: string) => Promise<void>;
};

/** One attempt at a job. */
export type WorkOrder = {
  readonly spec: JobSpec;
  readonly host: string;
  readonly client: OllamaClient;
  readonly tools: JobTools;
};

/**
 * Does a job once, step by step; when the steps have ended well, it is done: Ollama said `success`,
 * and it lists the model.
 * @throws ObeliskError
 */
export async function* doJob(order: WorkOrder, signal: AbortSignal): AsyncIterable<OllamaProgress> {
  switch (order.spec.kind) {
    case 'pull':
      yield* pull(order, signal);
      return;
    case 'push':
      yield* order.client.push(transferOf(order), signal);
      return;
    case 'create':
      yield* create(order, signal);
      return;
    case 'load':
      yield* load(order, signal);
  }
}

async function* pull(order: WorkOrder, signal: AbortSignal): AsyncIterable<OllamaProgress> {
  const { spec, client } = order;
  if (spec.kind === 'pull' && spec.ifMissing === true && (await findInstalled(order, signal))) {
    yield { status: 'installed already' };
    return;
  }
  yield* client.pull(transferOf(order), signal);
  await requireInstalled(order, signal);
  await order.tools.lookAt?.(order.host);
}

function transferOf({ spec, tools }: WorkOrder): OllamaTransferBody {
  // Asked for at every attempt: the configuration may have changed since.
  return transferBody(spec.model, tools.rules(), 'insecure' in spec ? spec.insecure : undefined);
}

async function* create(order: WorkOrder, signal: AbortSignal): AsyncIterable<OllamaProgress> {
  const { spec, client, tools } = order;
  if (spec.kind !== 'create') return;
  yield { status: 'reading what the model is made of' };
  const { blobs, body, warnings } = yield* toldSteps((tell) =>
    tools.prepareCreate(spec, signal, (file, readBytes, totalBytes) => {
      const percent = Math.floor((100 * readBytes) / Math.max(totalBytes, 1));
      tell({ status: `reading ${path.basename(file)}, ${percent} %` });
    }),
  );
  for (const warning of warnings) yield { status: 'reading what the model is made of', notice: warning };
  await requireBase(order, body.from, signal);
  await requireUploaded(order, { blobs, body }, signal);
  for (const blob of blobs) yield* upload(client, blob, signal);
  yield* client.create(body, signal);
  await requireInstalled(order, signal);
  await tools.lookAt?.(order.host);
}

/** Ollama pulls a base that it does not have, from wherever its name says. */
async function requireBase(order: WorkOrder, from: string | undefined, signal: AbortSignal): Promise<void> {
  if (from === undefined || (await findInstalled(order, signal, from))) return;
  requireRegistry(parseModelReference(from), order.tools.rules(), undefined);
}

/** Bytes that others uploaded are there no longer once Ollama has started again without a use for them. */
async function requireUploaded(
  { client, host }: WorkOrder,
  { blobs, body }: Pick<PreparedCreate, 'blobs' | 'body'>,
  signal: AbortSignal,
): Promise<void> {
  const own = new Set(blobs.map(({ digest }) => digest));
  const named = new Set([...Object.values(body.files ?? {}), ...Object.values(body.adapters ?? {})]);
  for (const digest of named) {
    if (own.has(digest) || (await client.hasBlob(digest, signal))) continue;
    throw notUploaded(digest, host);
  }
}

async function* upload(
  client: OllamaClient,
  blob: OllamaBlob,
  signal: AbortSignal,
): AsyncIterable<OllamaProgress> {
  const status = `uploading ${blob.digest.slice(7, 19)}`;
  const step = (completed: number): OllamaProgress => ({
    status,
    digest: blob.digest,
    total: blob.bytes,
    completed,
  });
  if (await client.hasBlob(blob.digest, signal)) {
    yield step(blob.bytes);
    return;
  }
  yield* toldSteps((tell) => client.uploadBlob(blob, signal, (bytes) => tell(step(bytes))));
  yield step(blob.bytes);
}

async function isLoaded(order: WorkOrder, signal: AbortSignal): Promise<boolean> {
  const { model } = order.spec;
  const loaded = await order.client.ps(signal);
  if (runnerOf(model, loaded) !== undefined) return true;
  const digest = (await findInstalled(order, signal))?.digest;
  return runnerOf(model, loaded, digest) !== undefined;
}

async function* load(order: WorkOrder, signal: AbortSignal): AsyncIterable<OllamaProgress> {
  const { spec, host, tools } = order;
  if (spec.kind !== 'load') return;
  yield { status: 'loading' };
  await tools.load(spec, host, signal);
  if (!(await isLoaded(order, signal))) {
    throw notThere(order, 'loaded it, but does not list it among its loaded models');
  }
  yield { status: 'success' };
}

async function findInstalled(
  { spec, client }: WorkOrder,
  signal: AbortSignal,
  model: string = spec.model,
): Promise<OllamaTag | undefined> {
  const key = ollamaModelKey(model);
  return (await client.tags(signal)).find((tag) => ollamaModelKey(tag.name) === key);
}

async function requireInstalled(order: WorkOrder, signal: AbortSignal): Promise<void> {
  if (await findInstalled(order, signal)) return;
  throw notThere(order, 'said success, but does not list the model');
}

function notThere({ client, spec }: WorkOrder, what: string): ObeliskError {
  return new ObeliskError('upstream_invalid', `ollama ${client.url} ${what}: ${spec.model}; look at its log`);
}
