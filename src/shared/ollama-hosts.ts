import type { Secret } from './secret.ts';

/** How a host is chosen for a model that several have. */
export type OllamaPlacement = 'warm-first' | 'least-busy' | 'round-robin';

/** What Ollama keeps keys and values in (`OLLAMA_KV_CACHE_TYPE`): f16 unless it was started with another. */
export type OllamaCacheType = 'f16' | 'q8_0' | 'q4_0';

/** What a configuration says of one server of Ollama. */
export type OllamaHostSettings = {
  /** In `x-obelisk-deployment`, metrics and on the command line; `host:port` of the URL unless told. */
  readonly name: string;
  /** Without a trailing slash. */
  readonly url: string;
  /** Sent as `Authorization: Bearer`, to a proxy in front of it. */
  readonly apiKey?: Secret;
  /** Part of the requests, relative to the other hosts; 0 is asked only where no other can be. */
  readonly weight: number;
  readonly tags: readonly string[];
  /** Its OLLAMA_NUM_PARALLEL: requests that it serves at once per model. */
  readonly parallel: number;
  /** Whether nobody has configured `parallel`, so that a host may be found to serve more. */
  readonly parallelIsDefault?: boolean;
  /** Memory for models, in bytes. */
  readonly memoryBytes?: number;
  /** Its OLLAMA_KV_CACHE_TYPE. */
  readonly cacheType?: OllamaCacheType;
  /** Over `hardware` of all hosts. */
  readonly hardware: Readonly<Record<string, number | boolean>>;
  /** Over `model_overrides` of all hosts, by model name as written. */
  readonly modelOverrides: Readonly<Record<string, Readonly<Record<string, number | boolean>>>>;
};

/** A model that is loaded ahead of its first request. */
export type PreloadSettings = {
  readonly model: string;
  /** Names or tags of hosts; absent: every host that has it. */
  readonly hosts?: readonly string[];
  /** `HH:MM` of the local day; absent: whenever the host has come. */
  readonly at?: string;
  /** Days of the week, 0 is Sunday; absent: every day. */
  readonly days?: readonly number[];
  /** Seconds; negative means for ever. */
  readonly keepAlive?: number;
};
