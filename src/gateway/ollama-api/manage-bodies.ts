import { z } from 'zod';
import { modelName, uploadedFiles } from '../../ollama/control-plane-requests.ts';
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

type Files = Readonly<Record<string, string>>;

/** What of `POST /api/create` is read. */
export type CreateBody = Named & {
  readonly stream?: boolean | null | undefined;
  readonly from?: string | null | undefined;
  /** Digests of uploaded files by their relative paths. */
  readonly files?: Files | null | undefined;
  readonly adapters?: Files | null | undefined;
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
  const message = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() });
  return z.object({
    ...named(),
    stream: z.boolean().nullish(),
    from: modelName().nullish(),
    files: uploadedFiles().nullish(),
    adapters: uploadedFiles().nullish(),
    quantize: text(),
    template: text(),
    system: text(),
    license: z.union([z.string(), z.array(z.string())]).nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
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

/** Reads what a model is made of. */
export function sourceOf(body: CreateBody): CreateSource {
  const { files, adapters, from, quantize, template, system, license, parameters, messages } = body;
  return {
    ...(from ? { from } : {}),
    ...(hasEntries(files) ? { files } : {}),
    ...(hasEntries(adapters) ? { adapterFiles: adapters } : {}),
    ...(quantize ? { quantize } : {}),
    ...(template ? { template } : {}),
    ...(system ? { system } : {}),
    ...(license ? { license: typeof license === 'string' ? [license] : license } : {}),
    ...(parameters ? { parameters } : {}),
    ...(messages ? { messages } : {}),
  };
}

function hasEntries(files: Files | null | undefined): files is Files {
  return Object.keys(files ?? {}).length > 0;
}
