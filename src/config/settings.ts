import type { OllamaHostSettings, OllamaPlacement, PreloadSettings } from '../shared/ollama-hosts.ts';
import type { Secret } from '../shared/secret.ts';

/** How completions choose their backend (design document, decision 2 and its refined form). */
export type ProviderMode = 'operation' | 'smart' | 'ollama' | 'litellm';

/** `codec`: our own codec for the usual messages; `node`: node:http for all. */
export type TransportName = 'codec' | 'node';

/** How a deployment of a name is chosen: at random by weight, or the one with the fewest requests in flight. */
export type RoutingStrategy = 'simple-shuffle' | 'least-busy';

/** What `litellm_params` say of how a deployment is used. */
export type DeploymentRouting = {
  /** Part of the requests, relative to the other deployments of the name. */
  readonly weight?: number;
  /** Requests and tokens a minute. */
  readonly rpm?: number;
  readonly tpm?: number;
  /** Requests at once. */
  readonly maxParallelRequests?: number;
  /** Further attempts after the first, 0 to 5. */
  readonly retries?: number;
  /** How long it is left alone after a failure. */
  readonly cooldownMs?: number;
  /** Failures in a row that are let pass. */
  readonly allowedFails?: number;
  /** One attempt from its start to its end. */
  readonly timeoutMs?: number;
  /** From a streamed request to the head of its answer. */
  readonly streamTimeoutMs?: number;
};

/** Clocks of every exchange with an upstream, where they are not the defaults. */
export type UpstreamTimeouts = {
  readonly connectMs?: number;
  readonly firstByteMs?: number;
  readonly idleMs?: number;
  /** The request as a whole, over all its attempts. */
  readonly totalMs?: number;
};

/** How requests are spread over the deployments of a name, for those that say nothing of their own. */
export type RoutingSettings = {
  readonly strategy: RoutingStrategy;
  readonly retries: number;
  readonly cooldownMs?: number;
  readonly allowedFails?: number;
  /** Shortest wait before the same deployment is asked again. */
  readonly retryAfterMs: number;
  readonly timeouts: UpstreamTimeouts;
};

/** One entry of `model_list`, LiteLLM's form. */
export type ModelEntry = {
  readonly modelName: string;
  /** `provider/name` as written in `litellm_params.model`. */
  readonly model: string;
  readonly apiBase?: string;
  readonly apiKey?: Secret;
  /** `litellm_params.mock_response`: answered without an upstream. */
  readonly mockResponse?: string;
  /** Every other parameter of `litellm_params` that travels with a request (`temperature`, `num_ctx`…). */
  readonly params: Readonly<Record<string, unknown>>;
  readonly modelInfo: Readonly<Record<string, unknown>>;
  readonly routing?: DeploymentRouting;
  /** Line in the file, for messages. */
  readonly line?: number;
};

/** A vault to serve. */
export type VaultEntry = {
  /** NFC, letters of any script, digits, spaces, `._-`; no `:` or `/`. */
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
};

/** The whole effective configuration: immutable, replaced as a whole on reload. */
export type Settings = {
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly allowedHosts: readonly string[];
    readonly allowedOrigins: readonly string[];
    /** Who reads and writes HTTP, on both sides. */
    readonly transport: TransportName;
    /** How long clients may take, in milliseconds. */
    readonly timeouts: {
      readonly headersMs: number;
      readonly bodyMs: number;
      readonly keepAliveMs: number;
      readonly stalledMs: number;
    };
    /** How long requests may go on after the server was told to end, in milliseconds. */
    readonly drainMs: number;
  };
  readonly masterKey?: Secret;
  /** Keys that open models and vaults, but no management. */
  readonly inferenceKeys: readonly Secret[];
  readonly modelList: readonly ModelEntry[];
  readonly routing: RoutingSettings;
  readonly providers: {
    readonly mode: ProviderMode;
    readonly ollama: {
      readonly url: string;
      readonly defaultModel?: string;
      readonly defaultEmbeddingModel?: string;
      /** Canonical runner options of every model (`num_ctx`, `num_gpu`, `num_thread`…). */
      readonly hardware: Readonly<Record<string, number | boolean>>;
      /** Options by model name, over `hardware`. */
      readonly modelOverrides: Readonly<Record<string, Readonly<Record<string, number | boolean>>>>;
      /** Milliseconds between two looks for models. */
      readonly pollMs: number;
      /** At least one; the first is that of `url`, where none are listed. */
      readonly hosts: readonly OllamaHostSettings[];
      readonly placement: OllamaPlacement;
      /** `parallel` of a host that is not among `hosts`, because only a deployment names it; absent: to be found out. */
      readonly parallel?: number;
      /** Requests that may wait per host and model. */
      readonly queueLimit: number;
      /** Whether models that leave the machine are served. */
      readonly allowCloud: boolean;
      /** Registries that models are pulled from and pushed to, `host` or `host:port`. */
      readonly registries: readonly string[];
      /** Those of them that are spoken to without TLS. */
      readonly insecureRegistries: readonly string[];
      /** Runner options that a request may set itself, at the price of a reload. */
      readonly requestOptions: readonly string[];
      /** Names or tags of the hosts that may serve a model, by its name. */
      readonly modelHosts: Readonly<Record<string, readonly string[]>>;
      /** How a host is chosen for a model, by its name, where that is not `placement`. */
      readonly modelPlacement: Readonly<Record<string, OllamaPlacement>>;
      readonly preload: readonly PreloadSettings[];
    };
    readonly litellm?: { readonly apiBase: string; readonly apiKey?: Secret };
  };
  readonly vaults: readonly VaultEntry[];
  readonly rag: {
    /** Who writes answers when the request does not say; absent: the default chat model. */
    readonly model?: string;
    /** Embedding model; absent: the default local one, pinned in the index on first use. */
    readonly embeddingModel?: string;
  };
  /** Absolute path. */
  readonly dataDir: string;
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'auto' | 'text' | 'json';
  };
};

/** Where a value came from, for `obelisk config`. */
export type ValueOrigin =
  | { readonly kind: 'default' }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'flag'; readonly name: string };

/** A configuration, with what `obelisk config` and the start message tell about it. */
export type LoadedConfig = {
  readonly settings: Settings;
  /** Origin by dotted path of the setting (`server.port`). */
  readonly origins: ReadonlyMap<string, ValueOrigin>;
  /** Keys that are understood but have no effect yet, with file and line. */
  readonly noEffect: readonly { readonly key: string; readonly file: string; readonly line: number }[];
  /** Things a person should know (a removed Ollama option was dropped…), one sentence each. */
  readonly notices: readonly string[];
  /** The file that was read. */
  readonly file?: string;
};
