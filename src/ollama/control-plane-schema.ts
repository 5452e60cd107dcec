import { z } from 'zod';
import { showResponse } from './api/api-types.ts';
import type {
  ControlEvent,
  FitEstimate,
  FleetModel,
  HostView,
  Job,
  JobProgress,
  LoadedModel,
  ProfileView,
  ShownModel,
} from './control-plane.ts';
import { jobSpec } from './control-plane-requests.ts';

/**
 * What the management answers with, as schemas: they are read by the command line of the same version
 * and written into the OpenAPI document. All are functions, so that loading the module builds nothing.
 */

const hostState = () => z.enum(['starting', 'up', 'away', 'wrong']);
const rfc3339 = () => z.string().describe('RFC 3339');
const epochMs = () => z.number().describe('Milliseconds since the epoch');

const loadedModel = (): z.ZodType<LoadedModel> =>
  z.object({
    model: z.string(),
    state: z
      .enum(['loaded', 'loading', 'cold'])
      .describe('`loading` is from this server’s own books: Ollama lists a model only once it is loaded'),
    sizeBytes: z.number(),
    vramBytes: z.number(),
    contextLength: z.number().exactOptional(),
    expiresAt: rfc3339().exactOptional(),
    inFlight: z.number(),
    queued: z.number(),
  });

/** One host of Ollama. */
export const hostView = (): z.ZodType<HostView> =>
  z.object({
    name: z.string(),
    url: z.string(),
    state: hostState(),
    reason: z.string().exactOptional(),
    version: z.string().exactOptional(),
    warnings: z.array(z.string()),
    weight: z.number(),
    tags: z.array(z.string()),
    draining: z.boolean(),
    parallel: z.number(),
    memoryBytes: z.number().exactOptional(),
    memorySource: z.enum(['configured', 'this machine', 'unknown']),
    memoryUsedBytes: z.number(),
    models: z.number(),
    loaded: z.array(loadedModel()),
  });

/** One model of the fleet. */
export const fleetModel = (): z.ZodType<FleetModel> =>
  z.object({
    name: z.string(),
    digest: z.string(),
    sizeBytes: z.number(),
    modifiedAt: z.string().describe('RFC 3339; empty when unknown'),
    capabilities: z.array(z.string()),
    contextLength: z.number().exactOptional(),
    remoteHost: z
      .string()
      .describe('Where Ollama forwards the model to: its text leaves the machine')
      .exactOptional(),
    hosts: z.array(z.object({ host: z.string(), loaded: z.boolean(), digest: z.string() })),
  });

/** What `/api/show` says, and on which host. */
export const shownModel = (): z.ZodType<ShownModel> =>
  z.intersection(showResponse, z.object({ name: z.string(), host: z.string() }));

const jobProgress = (): z.ZodType<JobProgress> =>
  z.object({
    status: z.string(),
    totalBytes: z.number().exactOptional(),
    completedBytes: z.number().exactOptional(),
    bytesPerSecond: z.number().exactOptional(),
    secondsLeft: z.number().exactOptional(),
    notices: z.array(z.string()).exactOptional(),
    layers: z.array(z.object({ digest: z.string(), totalBytes: z.number(), completedBytes: z.number() })),
  });

/** One job. */
export const job = (): z.ZodType<Job> =>
  z.object({
    id: z.string(),
    spec: jobSpec(z.object),
    host: z.string(),
    state: z
      .enum(['queued', 'running', 'done', 'failed', 'cancelled', 'lost'])
      .describe('`lost`: the server ended in the middle and cannot go on with it'),
    attempts: z.number(),
    createdMs: epochMs(),
    startedMs: epochMs().exactOptional(),
    endedMs: epochMs().exactOptional(),
    progress: jobProgress(),
    error: z.object({ code: z.string(), message: z.string() }).exactOptional(),
  });

const keepAlive = () => z.union([z.number(), z.string()]);

/** The profile of a model. */
export const profileView = (): z.ZodType<ProfileView> =>
  z.object({
    model: z.string(),
    host: z.string().exactOptional(),
    options: z.record(
      z.string(),
      z.object({
        value: z.union([z.number(), z.boolean()]),
        source: z.enum(['default', 'model', 'configured', 'run time']),
      }),
    ),
    keepAlive: keepAlive().exactOptional(),
    requestOptions: z.array(z.string()),
    notices: z.array(z.string()),
  });

/** An estimate of memory. */
export const fitEstimate = (): z.ZodType<FitEstimate> =>
  z.object({
    host: z.string(),
    model: z.string(),
    numCtx: z.number(),
    parallel: z.number(),
    weightsBytes: z.number(),
    cacheBytes: z.number().exactOptional(),
    totalBytes: z.number().exactOptional(),
    memoryBytes: z.number().exactOptional(),
    verdict: z.enum(['fits', 'too large', 'unknown']),
    largestNumCtx: z.number().exactOptional(),
    explanation: z.string(),
  });

const place = () => ({ atMs: epochMs(), host: z.string() });

/** What happened on a host. */
export const controlEvent = (): z.ZodType<ControlEvent> =>
  z.discriminatedUnion('type', [
    z.object({ ...place(), type: z.literal('host'), state: hostState(), reason: z.string().exactOptional() }),
    z.object({
      ...place(),
      type: z.enum(['loading', 'loaded', 'unloaded', 'evicted']),
      model: z.string(),
    }),
    z.object({
      ...place(),
      type: z.literal('reload'),
      model: z.string(),
      options: z.array(z.string()),
    }),
    z.object({ ...place(), type: z.literal('job'), job: job() }),
    z.object({
      ...place(),
      type: z.literal('request'),
      model: z.string(),
      queueMs: z.number(),
      loadMs: z.number(),
      promptMs: z.number(),
      generationMs: z.number(),
      promptTokens: z.number(),
      completionTokens: z.number(),
    }),
  ]);
