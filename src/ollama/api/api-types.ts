import { z } from 'zod';

type Details = {
  readonly parent_model?: string | null | undefined;
  readonly format?: string | null | undefined;
  readonly family?: string | null | undefined;
  readonly families?: readonly string[] | null | undefined;
  readonly parameter_size?: string | null | undefined;
  readonly quantization_level?: string | null | undefined;
  readonly context_length?: number | null | undefined;
  readonly embedding_length?: number | null | undefined;
};

/** One installed model; `capabilities` and `details.context_length` are told only since 0.30. */
export type OllamaTag = {
  readonly name: string;
  readonly digest?: string | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
  readonly modified_at?: string | undefined;
  readonly remote_host?: string | undefined;
  readonly remote_model?: string | undefined;
  readonly details?: Details | null | undefined;
  readonly capabilities?: readonly string[] | null | undefined;
};

/** What Obelisk reads of `/api/show`; everything may be missing from old servers. */
export type OllamaShow = {
  readonly modelfile?: string | null | undefined;
  readonly license?: string | null | undefined;
  readonly parameters?: string | null | undefined;
  readonly template?: string | null | undefined;
  readonly system?: string | null | undefined;
  readonly renderer?: string | null | undefined;
  readonly parser?: string | null | undefined;
  readonly requires?: string | null | undefined;
  readonly details?: Details | null | undefined;
  readonly messages?: readonly { readonly role: string; readonly content: string }[] | null | undefined;
  /** Long lists in it are null unless `verbose` was asked for. */
  readonly model_info?: Readonly<Record<string, unknown>> | null | undefined;
  readonly projector_info?: Readonly<Record<string, unknown>> | null | undefined;
  readonly tensors?:
    | readonly { readonly name: string; readonly type: string; readonly shape: readonly number[] }[]
    | null
    | undefined;
  readonly capabilities?: readonly string[] | null | undefined;
  readonly remote_host?: string | null | undefined;
  readonly remote_model?: string | null | undefined;
  readonly modified_at?: string | null | undefined;
};

/** One loaded model. `size_vram` is the part on the GPU, in bytes; `size` counts all buffers. */
export type OllamaRunning = {
  readonly name: string;
  readonly digest?: string | undefined;
  readonly size?: number | undefined;
  readonly size_vram?: number | undefined;
  readonly expires_at?: string | undefined;
  readonly context_length?: number | undefined;
  readonly details?: Details | null | undefined;
};

/** Whether a server forwards to Ollama's cloud, and where that was said (`none`, `env`, `config`, `both`). */
export type OllamaStatus = {
  readonly cloud?: { readonly disabled: boolean; readonly source?: string | undefined } | undefined;
};

/** What the last line of an answer tells. Durations in nanoseconds; what is zero is left out by Ollama. */
export type OllamaFigures = {
  readonly total_duration?: number | undefined;
  /** The wait for the scheduler included. */
  readonly load_duration?: number | undefined;
  /** Tokens. */
  readonly prompt_eval_count?: number | undefined;
  readonly prompt_eval_duration?: number | undefined;
  /** Tokens. */
  readonly eval_count?: number | undefined;
  readonly eval_duration?: number | undefined;
};

/** One line of `/api/generate`. */
export type OllamaGenerated = OllamaFigures & {
  readonly model?: string | undefined;
  readonly created_at?: string | undefined;
  readonly response?: string | null | undefined;
  readonly thinking?: string | null | undefined;
  readonly done: boolean;
  /** `stop`, `length`, `load` or `unload`. */
  readonly done_reason?: string | null | undefined;
  /** Numbers of the text so far, on the last line. */
  readonly context?: readonly number[] | null | undefined;
  readonly logprobs?: readonly unknown[] | null | undefined;
};

const count = () => z.number().optional();
const text = () => z.string().nullish();

const details = () =>
  z.object({
    parent_model: text(),
    format: text(),
    family: text(),
    families: z.array(z.string()).nullish(),
    parameter_size: text(),
    quantization_level: text(),
    context_length: z.number().nullish(),
    embedding_length: z.number().nullish(),
  });

const tag = (): z.ZodType<OllamaTag> =>
  z.object({
    name: z.string().min(1),
    digest: z.string().optional(),
    size: z.number().optional(),
    modified_at: z.string().optional(),
    remote_host: z.string().optional(),
    remote_model: z.string().optional(),
    details: details().nullish(),
    capabilities: z.array(z.string()).nullish(),
  });

/** Answer of `/api/version`. */
export const versionBody: z.ZodType<{ readonly version: string }> = z.lazy(() =>
  z.object({ version: z.string() }),
);

/** Answer of `/api/status`. */
export const statusBody: z.ZodType<OllamaStatus> = z.lazy(() =>
  z.object({ cloud: z.object({ disabled: z.boolean(), source: z.string().optional() }).optional() }),
);

/** Answer of `/api/tags`. */
export const tagList: z.ZodType<{ readonly models: readonly OllamaTag[] }> = z.lazy(() =>
  z.object({
    models: z.array(tag()),
  }),
);

/** Answer of `/api/show`. */
export const showResponse: z.ZodType<OllamaShow> = z.lazy(() =>
  z.object({
    modelfile: text(),
    license: text(),
    parameters: text(),
    template: text(),
    system: text(),
    renderer: text(),
    parser: text(),
    requires: text(),
    details: details().nullish(),
    messages: z.array(z.object({ role: z.string(), content: z.string() })).nullish(),
    model_info: z.record(z.string(), z.unknown()).nullish(),
    projector_info: z.record(z.string(), z.unknown()).nullish(),
    tensors: z.array(z.object({ name: z.string(), type: z.string(), shape: z.array(z.number()) })).nullish(),
    capabilities: z.array(z.string()).nullish(),
    remote_host: text(),
    remote_model: text(),
    modified_at: text(),
  }),
);

const running = (): z.ZodType<OllamaRunning> =>
  z.object({
    name: z.string(),
    digest: z.string().optional(),
    size: z.number().optional(),
    size_vram: z.number().optional(),
    expires_at: z.string().optional(),
    context_length: z.number().optional(),
    details: details().nullish(),
  });

/** Answer of `/api/ps`. */
export const runningModels: z.ZodType<{ readonly models: readonly OllamaRunning[] }> = z.lazy(() =>
  z.object({
    models: z.array(running()),
  }),
);

/** One line of `/api/generate`. */
export const generatedLine: z.ZodType<OllamaGenerated> = z.lazy(() =>
  z.object({
    model: z.string().optional(),
    created_at: z.string().optional(),
    response: text(),
    thinking: text(),
    done: z.boolean(),
    done_reason: text(),
    context: z.array(z.number()).nullish(),
    logprobs: z.array(z.unknown()).nullish(),
    total_duration: count(),
    load_duration: count(),
    prompt_eval_count: count(),
    prompt_eval_duration: count(),
    eval_count: count(),
    eval_duration: count(),
  }),
);
