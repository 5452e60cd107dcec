import { z } from 'zod';

import type { CreateSource, Job, JobProgress, JobSpec } from '../control-plane.ts';

const name = z.string().min(1).max(600);
const text = z.string().max(4 * 1024 * 1024);

const sourceSchema: z.ZodType<CreateSource> = z.lazy(() =>
  z
    .strictObject({
      modelfile: text,
      directory: z.string(),
      from: z.string(),
      adapters: z.array(z.string()),
      quantize: z.string(),
      template: text,
      system: text,
      license: z.array(text),
      parameters: z.record(z.string(), z.unknown()),
      messages: z.array(z.strictObject({ role: z.string(), content: text })),
    })
    .partial()
    .transform(present),
);

/** What a job is asked for with; unknown fields are refused. */
export const jobSpecSchema: z.ZodType<JobSpec> = z.lazy(() => {
  const place = { model: name, host: z.string().min(1).optional() };
  return z.discriminatedUnion('kind', [
    z
      .strictObject({
        ...place,
        kind: z.literal('pull'),
        insecure: z.boolean().optional(),
        ifMissing: z.boolean().optional(),
      })
      .transform(present),
    z
      .strictObject({ ...place, kind: z.literal('push'), insecure: z.boolean().optional() })
      .transform(present),
    z.strictObject({ ...place, kind: z.literal('create'), source: sourceSchema }).transform(present),
    z
      .strictObject({
        ...place,
        kind: z.literal('load'),
        keepAlive: z.union([z.number(), z.string()]).optional(),
      })
      .transform(present),
  ]);
});

const progressSchema: z.ZodType<JobProgress> = z.lazy(() =>
  z
    .object({
      status: z.string(),
      totalBytes: z.number().optional(),
      completedBytes: z.number().optional(),
      layers: z.array(z.object({ digest: z.string(), totalBytes: z.number(), completedBytes: z.number() })),
    })
    .transform(present),
);

/** A job as the store keeps it. */
export const storedJobSchema: z.ZodType<Job> = z.lazy(() =>
  z
    .object({
      id: z.string(),
      spec: jobSpecSchema,
      host: z.string(),
      state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled', 'lost']),
      attempts: z.number(),
      createdMs: z.number(),
      startedMs: z.number().optional(),
      endedMs: z.number().optional(),
      progress: progressSchema,
      error: z.object({ code: z.string(), message: z.string() }).optional(),
    })
    .transform(present),
);

/** An object in which a key that is there has a value. */
type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out the keys whose value is undefined, which Zod’s optional ones may be. */
function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined)) as Present<T>;
}
