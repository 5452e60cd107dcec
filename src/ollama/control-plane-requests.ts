import { z } from 'zod';
import { OLLAMA_DIGEST } from './api/blobs.ts';
import { OLLAMA_MODEL_NAME } from '../shared/ollama-model-name.ts';
import { KEEP_ALIVE_FORMS, keepAliveSeconds } from '../shared/keep-alive.ts';
import type { CreateSource, JobSpec, ProfilePatch } from './control-plane.ts';

/**
 * What the management is asked, as schemas. All are functions, so that loading the module builds
 * nothing.
 */

/** Name of a model in any spelling that Ollama takes. */
export const modelName = (): z.ZodType<string> =>
  z
    .string()
    .max(600)
    .regex(
      OLLAMA_MODEL_NAME,
      'is no name of a model; write [registry/][namespace/]model[:tag] with letters, digits, "_", "-" and "."',
    )
    .describe('`llama3`, `llama3:latest`, `registry.example:5000/team/model:tag`');

/** Name of a host in the configuration. */
export const hostName = (): z.ZodType<string> => z.string().min(1).max(255).describe('Name of a host');

const text = () => z.string().max(1_000_000);

/** Files of a model that were uploaded, by the paths that they have in it (Go's `fs.ValidPath`). */
export const uploadedFiles = (): z.ZodType<Readonly<Record<string, string>>> =>
  z
    .record(
      z.string().max(1_000),
      z.string().regex(OLLAMA_DIGEST, 'must be sha256: and 64 hexadecimal digits'),
    )
    .refine((files) => Object.keys(files).every(isPathInside), 'must have relative paths with "/" as names');

const someUploadedFiles = () =>
  uploadedFiles().refine((files) => Object.keys(files).length > 0, 'must name a file');

function isPathInside(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/** Paths are those of the server's machine. */
const createSource = (): z.ZodType<CreateSource> =>
  z.strictObject({
    modelfile: text()
      .describe('Text of a Modelfile. The other fields win over what it says.')
      .exactOptional(),
    directory: z
      .string()
      .describe('Absolute path of the folder that the Modelfile’s relative paths start at')
      .exactOptional(),
    from: z
      .string()
      .min(1)
      .describe('Name of an installed model, or absolute path of a GGUF file or a folder of safetensors')
      .exactOptional(),
    adapters: z.array(z.string().min(1)).max(16).exactOptional(),
    files: someUploadedFiles()
      .describe(
        'Digests of the files of the model by their relative paths, in place of `from`; uploaded to the host before with `POST /api/blobs/{digest}`',
      )
      .exactOptional(),
    adapterFiles: someUploadedFiles().describe('The same for the files of adapters').exactOptional(),
    quantize: z.string().min(1).max(32).describe('`q8_0`, `q4_K_M`…').exactOptional(),
    template: text().exactOptional(),
    system: text().exactOptional(),
    license: z.array(text()).max(16).exactOptional(),
    parameters: z.record(z.string().max(64), z.unknown()).exactOptional(),
    messages: z
      .array(z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: text() }))
      .max(1_000)
      .exactOptional(),
  });

/** `keep_alive`, as Ollama takes it. */
export const keepAlive = (): z.ZodType<number | string> =>
  z
    .union([z.number(), z.string().max(40)])
    .refine((value) => keepAliveSeconds(value) !== undefined, `write ${KEEP_ALIVE_FORMS}`)
    .describe('Seconds, or a duration with its unit (`5m`); negative is for ever');

/** Builds the schema of a job; strict for a request, tolerant for an answer. */
export const jobSpec = (object: typeof z.strictObject | typeof z.object): z.ZodType<JobSpec> => {
  const where = { model: modelName(), host: hostName().exactOptional() };
  const insecure = z
    .boolean()
    .describe('Without TLS; only for a registry of `insecure_registries`')
    .exactOptional();
  return z.discriminatedUnion('kind', [
    object({
      ...where,
      kind: z.literal('pull'),
      insecure,
      ifMissing: z.boolean().describe('Done at once where the host has the model').exactOptional(),
    }),
    object({ ...where, kind: z.literal('push'), insecure }),
    object({ ...where, kind: z.literal('create'), source: createSource() }),
    object({ ...where, kind: z.literal('load'), keepAlive: keepAlive().exactOptional() }),
  ]);
};

/** `POST /ollama/copy`. */
export type CopyRequest = { readonly source: string; readonly destination: string; readonly host?: string };

/** `POST /ollama/copy`. */
export const copyRequest = (): z.ZodType<CopyRequest> =>
  z.strictObject({ source: modelName(), destination: modelName(), host: hostName().exactOptional() });

/** `POST /ollama/unload`. */
export type UnloadRequest = { readonly model: string; readonly host?: string };

/** `POST /ollama/unload`. */
export const unloadRequest = (): z.ZodType<UnloadRequest> =>
  z.strictObject({ model: modelName(), host: hostName().exactOptional() });

/** `PATCH /ollama/hosts/{host}`. */
export const hostPatch = (): z.ZodType<{ readonly draining: boolean }> =>
  z.strictObject({ draining: z.boolean().describe('Whether the host gets no new requests') });

/** `PATCH /ollama/profiles/{model}`. */
export const profilePatch = (): z.ZodType<ProfilePatch> =>
  z.strictObject({
    options: z
      .record(z.string().max(64), z.union([z.number(), z.boolean(), z.null()]))
      .describe('Runner options by their names; null takes one back to the configuration’s')
      .exactOptional(),
    keepAlive: z.union([keepAlive(), z.null()]).exactOptional(),
    requestOptions: z
      .union([z.array(z.string().max(64)).max(32), z.null()])
      .describe('Runner options that a request may set itself, at the price of a reload')
      .exactOptional(),
  });
