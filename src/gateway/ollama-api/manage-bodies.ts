import { z } from 'zod';
import { modelName } from '../../ollama/control-plane-requests.ts';
import type { CreateSource } from '../../ollama/control-plane.ts';
import { ObeliskError } from '../../shared/errors.ts';

type Named = { readonly model?: string | null | undefined; readonly name?: string | null | undefined };

/** Ollama's own command line sends the old name of the field beside an empty new one. */
const named = () => ({ model: maybeName(), name: maybeName() });
const maybeName = () => z.union([z.literal(''), modelName()]).nullish();

/** Builds the schema of `POST /api/pull` and `POST /api/push`. */
export function transferBody(): z.ZodType<
  Named & { readonly insecure?: boolean | null | undefined; readonly stream?: boolean | null | undefined }
> {
  return z.object({ ...named(), insecure: z.boolean().nullish(), stream: z.boolean().nullish() });
}

/** Builds the schema of `DELETE /api/delete`. */
export function deleteBody(): z.ZodType<Named> {
  return z.object(named());
}

/** Builds the schema of `POST /api/copy`. */
export function copyBody(): z.ZodType<{ readonly source: string; readonly destination: string }> {
  return z.object({ source: modelName(), destination: modelName() });
}

/** What of `POST /api/create` is read. */
export type CreateBody = Named & {
  readonly stream?: boolean | null | undefined;
  readonly from?: string | null | undefined;
  readonly files?: Readonly<Record<string, unknown>> | null | undefined;
  readonly adapters?: Readonly<Record<string, unknown>> | null | undefined;
  readonly quantize?: string | null | undefined;
  readonly template?: string | null | undefined;
  readonly system?: string | null | undefined;
  readonly license?: string | readonly string[] | null | undefined;
  readonly parameters?: Readonly<Record<string, unknown>> | null | undefined;
  readonly messages?:
    | readonly { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }[]
    | null
    | undefined;
};

/** Builds the schema of `POST /api/create`. */
export function createBody(): z.ZodType<CreateBody> {
  const text = () => z.string().nullish();
  const record = () => z.record(z.string(), z.unknown()).nullish();
  const message = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() });
  return z.object({
    ...named(),
    stream: z.boolean().nullish(),
    from: modelName().nullish(),
    files: record(),
    adapters: record(),
    quantize: text(),
    template: text(),
    system: text(),
    license: z.union([z.string(), z.array(z.string())]).nullish(),
    parameters: record(),
    messages: z.array(message).nullish(),
  });
}

/**
 * Reads which model is meant; `name` is what the field was called before.
 * @throws ObeliskError `invalid_request`.
 */
export function modelOf({ model, name }: Named): string {
  const meant = (model ? model : name) ?? '';
  if (meant !== '') return meant;
  throw new ObeliskError('invalid_request', 'model is required', { param: 'model' });
}

/**
 * Reads what a model is made of.
 * @throws ObeliskError `unsupported` for files, which are not uploaded here.
 */
export function sourceOf(body: CreateBody): CreateSource {
  if (hasEntries(body.files) || hasEntries(body.adapters)) throw noUploads();
  const { from, quantize, template, system, license, parameters, messages } = body;
  return {
    ...(from ? { from } : {}),
    ...(quantize ? { quantize } : {}),
    ...(template ? { template } : {}),
    ...(system ? { system } : {}),
    ...(license ? { license: typeof license === 'string' ? [license] : license } : {}),
    ...(parameters ? { parameters } : {}),
    ...(messages ? { messages } : {}),
  };
}

/** The error for bytes of a model: a request body is kept whole here, which gigabytes cannot be. */
export function noUploads(): ObeliskError {
  return new ObeliskError(
    'unsupported',
    'files of a model are not uploaded through this API; run `obelisk models create`, or start a job at POST /ollama/jobs with their path on the server',
    { param: 'files' },
  );
}

function hasEntries(record: Readonly<Record<string, unknown>> | null | undefined): boolean {
  return Object.keys(record ?? {}).length > 0;
}
