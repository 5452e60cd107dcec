import { z } from 'zod';

type Details = {
  readonly family?: string | null | undefined;
  readonly families?: readonly string[] | null | undefined;
  readonly context_length?: number | null | undefined;
};

/** One installed model; `capabilities` and `details.context_length` are told only since 0.30. */
export type OllamaTag = {
  readonly name: string;
  readonly digest?: string | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
  readonly modified_at?: string | undefined;
  readonly remote_host?: string | undefined;
  readonly details?: Details | null | undefined;
  readonly capabilities?: readonly string[] | null | undefined;
};

/** What Obelisk reads of `/api/show`; everything may be missing from old servers. */
export type OllamaShow = {
  readonly parameters?: string | null | undefined;
  readonly template?: string | null | undefined;
  readonly details?: Details | null | undefined;
  readonly model_info?: Readonly<Record<string, unknown>> | null | undefined;
  readonly projector_info?: Readonly<Record<string, unknown>> | null | undefined;
  readonly capabilities?: readonly string[] | null | undefined;
  readonly remote_host?: string | null | undefined;
};

/** One loaded model. `size_vram` is the part on the GPU, in bytes; `size` counts all buffers. */
export type OllamaRunning = {
  readonly name: string;
  readonly digest?: string | undefined;
  readonly size?: number | undefined;
  readonly size_vram?: number | undefined;
  readonly expires_at?: string | undefined;
  readonly context_length?: number | undefined;
};

const details = () =>
  z.object({
    family: z.string().nullish(),
    families: z.array(z.string()).nullish(),
    context_length: z.number().nullish(),
  });

const tag = (): z.ZodType<OllamaTag> =>
  z.object({
    name: z.string().min(1),
    digest: z.string().optional(),
    size: z.number().optional(),
    modified_at: z.string().optional(),
    remote_host: z.string().optional(),
    details: details().nullish(),
    capabilities: z.array(z.string()).nullish(),
  });

/** Answer of `/api/tags`. */
export const tagList: z.ZodType<{ readonly models: readonly OllamaTag[] }> = z.lazy(() =>
  z.object({
    models: z.array(tag()),
  }),
);

/** Answer of `/api/show`. */
export const showResponse: z.ZodType<OllamaShow> = z.lazy(() =>
  z.object({
    parameters: z.string().nullish(),
    template: z.string().nullish(),
    details: details().nullish(),
    model_info: z.record(z.string(), z.unknown()).nullish(),
    projector_info: z.record(z.string(), z.unknown()).nullish(),
    capabilities: z.array(z.string()).nullish(),
    remote_host: z.string().nullish(),
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
  });

/** Answer of `/api/ps`. */
export const runningModels: z.ZodType<{ readonly models: readonly OllamaRunning[] }> = z.lazy(() =>
  z.object({
    models: z.array(running()),
  }),
);
