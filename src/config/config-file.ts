import type { LitellmStrategy } from './routing-schema.ts';
import type { ProviderMode, TransportName } from './settings.ts';
import type { OllamaCacheType, OllamaPlacement } from '../shared/ollama-hosts.ts';

/** One entry of `model_list` as written. */
export type ModelEntryFile = {
  readonly model_name: string;
  readonly litellm_params: {
    readonly model: string;
    readonly api_base?: string | undefined;
    readonly api_key?: string | undefined;
    readonly mock_response?: string | undefined;
    readonly weight?: number | undefined;
    readonly rpm?: number | undefined;
    readonly tpm?: number | undefined;
    readonly max_parallel_requests?: number | undefined;
    readonly num_retries?: number | undefined;
    readonly cooldown_time?: number | undefined;
    readonly allowed_fails?: number | undefined;
    readonly timeout?: number | undefined;
    readonly stream_timeout?: number | undefined;
    readonly [parameter: string]: unknown;
  };
  readonly model_info?: Readonly<Record<string, unknown>> | undefined;
  readonly [key: string]: unknown;
};

/** Runner options as written. */
export type HardwareFile = Readonly<Record<string, number | boolean | undefined>>;

/** Runner options by the name of a model, as written. */
export type OverridesFile = Readonly<Record<string, HardwareFile>>;

/** One of `providers.ollama.hosts` as written. */
export type OllamaHostFile = {
  readonly name?: string | undefined;
  readonly url: string;
  readonly api_key?: string | undefined;
  readonly weight?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly parallel?: number | undefined;
  /** Bytes. */
  readonly memory?: number | undefined;
  readonly kv_cache_type?: OllamaCacheType | undefined;
  readonly hardware?: HardwareFile | undefined;
  readonly model_overrides?: OverridesFile | undefined;
};

/** One of `providers.ollama.preload` as written. */
export type PreloadFile = {
  readonly model: string;
  readonly hosts?: readonly string[] | undefined;
  readonly at?: string | undefined;
  readonly days?: readonly WeekDay[] | undefined;
  /** Seconds. */
  readonly keep_alive?: number | undefined;
};

/** A day of the week as written. */
export type WeekDay = 'sun' | 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat';

/** `providers.ollama` as written. */
export type OllamaFile = {
  readonly url?: string | undefined;
  readonly hosts?: readonly OllamaHostFile[] | undefined;
  readonly default_model?: string | undefined;
  readonly default_embedding_model?: string | undefined;
  readonly hardware?: HardwareFile | undefined;
  readonly model_overrides?: OverridesFile | undefined;
  readonly request_options?: readonly string[] | undefined;
  readonly poll_seconds?: number | undefined;
  readonly placement?: OllamaPlacement | undefined;
  readonly model_placement?: Readonly<Record<string, OllamaPlacement>> | undefined;
  readonly model_hosts?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly parallel?: number | undefined;
  /** Bytes. */
  readonly memory?: number | undefined;
  readonly kv_cache_type?: OllamaCacheType | undefined;
  readonly queue_limit?: number | undefined;
  readonly preload?: readonly PreloadFile[] | undefined;
  readonly allow_cloud?: boolean | undefined;
  readonly registries?: readonly string[] | undefined;
  readonly insecure_registries?: readonly string[] | undefined;
};

/** `obelisk.yaml` after substitution and validation: the keys with an effect. */
export type ConfigFile = {
  readonly server?:
    | {
        readonly host?: string | undefined;
        readonly port?: number | undefined;
        readonly allowed_hosts?: readonly string[] | undefined;
        readonly allowed_origins?: readonly string[] | undefined;
        readonly transport?: TransportName | undefined;
        readonly timeouts?:
          | {
              readonly headers?: number | undefined;
              readonly body?: number | undefined;
              readonly keep_alive?: number | undefined;
              readonly stalled?: number | undefined;
            }
          | undefined;
        readonly drain?: number | undefined;
      }
    | undefined;
  readonly vaults?: readonly { readonly name?: string | undefined; readonly path: string }[] | undefined;
  readonly model_list?: readonly ModelEntryFile[] | undefined;
  readonly router_settings?:
    | {
        readonly routing_strategy?: LitellmStrategy | undefined;
        readonly num_retries?: number | undefined;
        readonly timeout?: number | undefined;
        readonly cooldown_time?: number | undefined;
        readonly allowed_fails?: number | undefined;
        readonly retry_after?: number | undefined;
      }
    | undefined;
  readonly litellm_settings?:
    | { readonly num_retries?: number | undefined; readonly request_timeout?: number | undefined }
    | undefined;
  readonly upstream?:
    | {
        readonly timeouts?:
          | {
              readonly connect?: number | undefined;
              readonly first_byte?: number | undefined;
              readonly idle?: number | undefined;
              readonly total?: number | undefined;
            }
          | undefined;
      }
    | undefined;
  readonly general_settings?:
    | {
        readonly master_key?: string | undefined;
        readonly inference_keys?: readonly string[] | undefined;
      }
    | undefined;
  readonly providers?:
    | {
        readonly default?: ProviderMode | undefined;
        readonly ollama?: OllamaFile | undefined;
        readonly litellm?:
          | { readonly api_base?: string | undefined; readonly api_key?: string | undefined }
          | undefined;
      }
    | undefined;
  readonly rag?:
    | { readonly model?: string | undefined; readonly embedding_model?: string | undefined }
    | undefined;
  readonly data_dir?: string | undefined;
  readonly log?:
    | {
        readonly level?: 'debug' | 'info' | 'warn' | 'error' | undefined;
        readonly format?: 'auto' | 'text' | 'json' | undefined;
      }
    | undefined;
};
