import type { OllamaShow } from './api/api-types.ts';

/**
 * Everything that can be done with Ollama's models and hosts besides asking them: what the management
 * routes, the command line and the library have in common. Model names are taken in any spelling
 * (`llama3`, `llama3:latest`); host names are those of the configuration. Every call throws
 * ObeliskError: `not_found` for a host or a job that is not there, `model_not_found`, `forbidden` for a
 * registry that is not allowed, `invalid_request`, and `upstream_*` naming the host.
 */
export type ControlPlane = {
  /** Every host, as of the last look. */
  hosts(): readonly HostView[];
  /** Gives a host no new requests (`draining`), or takes that back. */
  drain(host: string, draining: boolean): HostView;
  /** Which host has which model, after a look at every host. */
  models(): Promise<readonly FleetModel[]>;
  show(model: string, at?: ModelPlace & { readonly verbose?: boolean }): Promise<ShownModel>;
  /** Starts a job, or gives the one that is doing the same already. */
  startJob(spec: JobSpec): Job;
  jobs(): readonly Job[];
  job(id: string): Job;
  cancelJob(id: string): Job;
  /** The job as it is, then each time that it changed, until it has ended. */
  watchJob(id: string, signal: AbortSignal): AsyncIterable<Job>;
  copy(source: string, destination: string, at?: ModelPlace): Promise<void>;
  remove(model: string, at?: ModelPlace): Promise<void>;
  /** Ends the runner of a model on the host, or on every host that has it loaded. */
  unload(model: string, at?: ModelPlace): Promise<readonly string[]>;
  profiles(): readonly ProfileView[];
  profile(model: string, at?: ModelPlace): ProfileView;
  /** Changes a profile at run time; null takes a value back to the configuration's. */
  patchProfile(model: string, patch: ProfilePatch, at?: ModelPlace): ProfileView;
  /** Estimates the memory that a model takes, per host. */
  fit(model: string, ask?: FitAsk): Promise<readonly FitEstimate[]>;
  /** What happens on the hosts from now on. */
  events(signal: AbortSignal): AsyncIterable<ControlEvent>;
};

/** Where a model is meant, among several hosts. */
export type ModelPlace = { readonly host?: string };

/** One host. */
export type HostView = HostMemory & {
  readonly name: string;
  readonly url: string;
  readonly state: 'starting' | 'up' | 'away' | 'wrong';
  /** Why it is away or wrong. */
  readonly reason?: string;
  readonly version?: string;
  /** What its owner should know: a version with a known hole, a key sent without TLS. */
  readonly warnings: readonly string[];
  readonly weight: number;
  readonly tags: readonly string[];
  readonly draining: boolean;
  /** Requests that Ollama serves at once per model (its OLLAMA_NUM_PARALLEL): as configured, or as many as it was seen to serve. */
  readonly parallel: number;
  /** Bytes of every loaded model together. */
  readonly memoryUsedBytes: number;
  readonly models: number;
  readonly loaded: readonly LoadedModel[];
};

/** Memory of a host for models: Ollama tells none, so it is configured, this machine's, or unknown. */
export type HostMemory = {
  /** In bytes. */
  readonly memoryBytes?: number;
  readonly memorySource: 'configured' | 'this machine' | 'unknown';
};

/** A model on a host that is loaded, loading, or asked for. */
export type LoadedModel = {
  readonly model: string;
  /** `loading` is from our own books: Ollama lists a model only once it is loaded. */
  readonly state: 'loaded' | 'loading' | 'cold';
  readonly sizeBytes: number;
  readonly vramBytes: number;
  readonly contextLength?: number;
  /** RFC 3339. */
  readonly expiresAt?: string;
  readonly inFlight: number;
  readonly queued: number;
};

/** A model of the fleet. */
export type FleetModel = {
  readonly name: string;
  readonly digest: string;
  readonly sizeBytes: number;
  /** RFC 3339; empty when unknown. */
  readonly modifiedAt: string;
  readonly capabilities: readonly string[];
  readonly contextLength?: number;
  /** Where Ollama forwards it to: its text leaves the machine. */
  readonly remoteHost?: string;
  readonly hosts: readonly { readonly host: string; readonly loaded: boolean; readonly digest: string }[];
};

/** What `/api/show` says, and on which host. */
export type ShownModel = OllamaShow & { readonly name: string; readonly host: string };

/** What a job does. */
export type JobSpec = ModelPlace & { readonly model: string } & (
    | {
        readonly kind: 'pull';
        readonly insecure?: boolean;
        /** `ensure`: done at once where the host has the model. */
        readonly ifMissing?: boolean;
      }
    | { readonly kind: 'push'; readonly insecure?: boolean }
    | { readonly kind: 'create'; readonly source: CreateSource }
    | { readonly kind: 'load'; readonly keepAlive?: number | string }
  );

/** What a job is called. */
export type JobKind = JobSpec['kind'];

/** What a model is made of. Paths are absolute, on the machine of this process. */
export type CreateSource = {
  /** Text of a Modelfile; its relative paths start at `directory`. What follows here wins over it. */
  readonly modelfile?: string;
  readonly directory?: string;
  /** Name of an installed model, a GGUF file, or a folder of safetensors. */
  readonly from?: string;
  readonly adapters?: readonly string[];
  /**
   * Digests of bytes that the host has already, by relative path with `/`: the model itself, in place of
   * `from`, and adapters. They are uploaded with `POST /api/blobs/{digest}`.
   */
  readonly files?: Readonly<Record<string, string>>;
  readonly adapterFiles?: Readonly<Record<string, string>>;
  readonly quantize?: string;
  readonly template?: string;
  readonly system?: string;
  readonly license?: readonly string[];
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly messages?: readonly { readonly role: string; readonly content: string }[];
};

/** `lost`: Obelisk ended in the middle and cannot go on with it; never said to be done. */
export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'lost';

/** One job. */
export type Job = {
  readonly id: string;
  readonly spec: JobSpec;
  /** The host that it runs on. */
  readonly host: string;
  readonly state: JobState;
  /** Tries so far. */
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  readonly startedMs?: number;
  readonly endedMs?: number;
  readonly progress: JobProgress;
  readonly error?: JobError;
};

/** Why a job ended badly, or what its last try failed with. */
export type JobError = { readonly code: string; readonly message: string };

/** How far a job is. Over all layers that are known by now. */
export type JobProgress = {
  /** Ollama's own word for what it does. */
  readonly status: string;
  readonly totalBytes?: number;
  readonly completedBytes?: number;
  readonly bytesPerSecond?: number;
  readonly secondsLeft?: number;
  /** What a person should know of what was made: parameters that were left out. */
  readonly notices?: readonly string[];
  readonly layers: readonly {
    readonly digest: string;
    readonly totalBytes: number;
    readonly completedBytes: number;
  }[];
};

/** Values of a profile by their names; null takes one back. */
export type ProfilePatch = {
  readonly options?: Readonly<Record<string, number | boolean | null>>;
  readonly keepAlive?: number | string | null;
  /** Names of runner options that a request may set itself, at the price of a reload. */
  readonly requestOptions?: readonly string[] | null;
};

/** The profile of a model, on a host where one is named. */
export type ProfileView = {
  readonly model: string;
  readonly host?: string;
  /** What travels with every request, with where each value comes from. */
  readonly options: Readonly<
    Record<string, { readonly value: number | boolean; readonly source: ProfileSource }>
  >;
  readonly keepAlive?: number | string;
  readonly requestOptions: readonly string[];
  /** What a person should know of a value (`num_gpu` counts layers). */
  readonly notices: readonly string[];
};

/** Where a value of a profile comes from, the weakest first. */
export type ProfileSource = 'default' | 'model' | 'configured' | 'run time';

/** What an estimate is wanted for. */
export type FitAsk = ModelPlace & { readonly numCtx?: number; readonly parallel?: number };

/** An estimate of the memory that a model takes on a host. */
export type FitEstimate = {
  readonly host: string;
  readonly model: string;
  readonly numCtx: number;
  readonly parallel: number;
  readonly weightsBytes: number;
  /** Key-value cache; absent where the model does not tell its shape. */
  readonly cacheBytes?: number;
  readonly totalBytes?: number;
  readonly memoryBytes?: number;
  /** `unknown` where the host's memory or the model's shape is not known. */
  readonly verdict: 'fits' | 'too large' | 'unknown';
  /** Largest context window in tokens that fits, at most what the model was trained for. */
  readonly largestNumCtx?: number;
  /** One sentence: what was reckoned with, and what to do. */
  readonly explanation: string;
};

/** What happened on a host. `atMs` is in milliseconds since the epoch. */
export type ControlEvent = { readonly atMs: number; readonly host: string } & (
  | { readonly type: 'host'; readonly state: HostView['state']; readonly reason?: string }
  | { readonly type: 'loading' | 'loaded' | 'unloaded' | 'evicted'; readonly model: string }
  /** A request whose runner options differ from those that the model is loaded with. */
  | { readonly type: 'reload'; readonly model: string; readonly options: readonly string[] }
  | { readonly type: 'job'; readonly job: Job }
  | ({ readonly type: 'request'; readonly model: string } & RequestTiming)
);

/** Where the time of a request went, in milliseconds, and its tokens. */
export type RequestTiming = {
  readonly queueMs: number;
  readonly loadMs: number;
  readonly promptMs: number;
  readonly generationMs: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
};
