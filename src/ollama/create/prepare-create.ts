import { stat } from 'node:fs/promises';
import path from 'node:path';

import { defined } from '../../shared/defined.ts';
import { isObeliskError, messageOf, ObeliskError, systemCodeOf } from '../../shared/errors.ts';
import type { CreateSource } from '../control-plane.ts';
import type { OllamaBlob, OllamaCreateBody } from '../api/request-types.ts';

import { blobOf } from './file-blob.ts';
import { requireFileKind } from './file-kind.ts';
import { expandPath, isWrittenAsPath } from './local-path.ts';
import { modelFilesOf } from './model-folder.ts';
import type { ModelFile } from './model-folder.ts';
import { parseModelfile } from './modelfile.ts';
import { requireParameters } from './parameters.ts';
import { readRecipe } from './recipe.ts';
import type { Recipe } from './recipe.ts';

/** A model to be made: what must be uploaded first, and the creation itself. */
export type PreparedCreate = {
  /** Each once, however many names it has. */
  readonly blobs: readonly OllamaBlob[];
  readonly body: OllamaCreateBody;
  /** What a person should know: parameters that were left out. */
  readonly warnings: readonly string[];
};

/** What is prepared. */
export type CreateOrder = { readonly model: string; readonly source: CreateSource };

/** Called while the digests of files are taken. */
export type OnReading = (file: string, readBytes: number, totalBytes: number) => void;

/**
 * Reads what a model is made of: the Modelfile, what is given beside it, and the files that both
 * name, whose digests are taken. Nothing is sent.
 * @throws ObeliskError `invalid_request` for what cannot be read or made, `client_gone`.
 */
export async function prepareCreate(
  { model, source }: CreateOrder,
  signal?: AbortSignal,
  onReading?: OnReading,
): Promise<PreparedCreate> {
  try {
    const recipe = mixed(recipeOf(source), source);
    const uploads = new Uploads(signal, onReading);
    const from =
      source.files === undefined
        ? await uploads.model(recipe, source.directory)
        : uploaded(recipe, source.files);
    const adapters = await uploads.folders(recipe.adapters, 'adapter', source.directory);
    const drafts = await uploads.folders(recipe.drafts, 'model', source.directory);
    if (from.name === undefined && from.files === undefined) {
      throw new ObeliskError('invalid_request', 'a model is made from something: give `from` or a Modelfile');
    }
    const body: OllamaCreateBody = {
      model,
      ...defined('from', from.name),
      ...defined('files', from.files),
      ...defined('adapters', source.adapterFiles ? { ...adapters, ...source.adapterFiles } : adapters),
      ...defined('draft_files', drafts),
      ...recipe.rest,
    };
    return { blobs: uploads.blobs(), body, warnings: recipe.warnings };
  } catch (error) {
    throw readable(error);
  }
}

function recipeOf({ modelfile }: CreateSource): Recipe {
  if (modelfile === undefined) return { from: [], adapters: [], drafts: [], rest: {}, warnings: [] };
  return readRecipe(parseModelfile(modelfile));
}

/** What is given beside the Modelfile wins over it. */
function mixed(recipe: Recipe, source: CreateSource): Recipe {
  const { from, adapters, quantize, parameters = {} } = source;
  if (quantize !== undefined) requireQuantization(quantize);
  requireParameters(parameters);
  const { template, system, license, messages } = source;
  const both = { ...recipe.rest.parameters, ...parameters };
  return {
    ...recipe,
    ...(from === undefined ? {} : { from: [from] }),
    ...defined('adapters', adapters),
    rest: {
      ...recipe.rest,
      ...defined('quantize', quantize),
      ...defined('template', template),
      ...defined('system', system),
      ...defined('license', license),
      ...defined('messages', messages),
      ...(Object.keys(both).length === 0 ? {} : { parameters: both }),
    },
  };
}

const QUANTIZATIONS = ['q4_K_M', 'q4_K_S', 'q8_0', 'f16', 'bf16', 'f32'];

function requireQuantization(name: string): void {
  const known = [...QUANTIZATIONS, 'q4_K'].some((one) => one.toLowerCase() === name.toLowerCase());
  if (known) return;
  throw new ObeliskError(
    'invalid_request',
    `Ollama cannot quantize to ${JSON.stringify(name.slice(0, 40))}; it knows ${QUANTIZATIONS.join(', ')}`,
    { param: 'quantize' },
  );
}

type From = { readonly name?: string; readonly files?: Readonly<Record<string, string>> };

/** What was uploaded already. */
function uploaded({ from: [written] }: Recipe, files: Readonly<Record<string, string>>): From {
  if (written !== undefined) throw notBoth(written);
  return { files };
}

function notBoth(name: string): ObeliskError {
  const message = `a model is made from ${JSON.stringify(name)} or from files, not from both: Ollama would leave the files out`;
  return new ObeliskError('invalid_request', message, { param: 'from' });
}

/** The files of a model and what they are called, each read once. */
class Uploads {
  readonly #blobs = new Map<string, OllamaBlob>();
  readonly #signal: AbortSignal | undefined;
  readonly #onReading: OnReading | undefined;

  constructor(signal: AbortSignal | undefined, onReading: OnReading | undefined) {
    this.#signal = signal;
    this.#onReading = onReading;
  }

  blobs(): readonly OllamaBlob[] {
    return [...new Map([...this.#blobs.values()].map((blob) => [blob.digest, blob])).values()];
  }

  /** Several FROM add up where they are files; of names the last one counts. */
  async model(recipe: Recipe, directory: string | undefined): Promise<From> {
    let name: string | undefined;
    const found: ModelFile[] = [];
    for (const written of recipe.from) {
      const there = await locate(written, directory);
      if (there === undefined) name = written;
      else found.push(...(await filesAt(there, 'model')));
    }
    if (name !== undefined && found.length > 0) throw notBoth(name);
    if (name !== undefined) return { name };
    return found.length === 0 ? {} : { files: await this.#digests(found) };
  }

  async folders(
    written: readonly string[],
    what: 'model' | 'adapter',
    directory: string | undefined,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    const found: ModelFile[] = [];
    for (const one of written) found.push(...(await filesAt(expandPath(one, { directory }), what)));
    return found.length === 0 ? undefined : this.#digests(found);
  }

  async #digests(files: readonly ModelFile[]): Promise<Readonly<Record<string, string>>> {
    const digests = new Map<string, string>();
    for (const { name, path: file } of files) {
      const blob =
        this.#blobs.get(file) ??
        (await blobOf(file, this.#signal, (read, total) => this.#onReading?.(file, read, total)));
      this.#blobs.set(file, blob);
      if (digests.has(name) && digests.get(name) !== blob.digest) {
        throw new ObeliskError('invalid_request', `two files of the model would be called ${name}`);
      }
      digests.set(name, blob.digest);
    }
    return Object.fromEntries(digests);
  }
}

/** Where a FROM leads to; undefined for the name of a model. */
async function locate(written: string, directory: string | undefined): Promise<string | undefined> {
  const isPath = isWrittenAsPath(written);
  if (!isPath && directory === undefined) return undefined;
  const file = expandPath(written, { directory });
  try {
    await stat(file);
    return file;
  } catch (error) {
    if (isPath || systemCodeOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

async function filesAt(file: string, what: 'model' | 'adapter'): Promise<readonly ModelFile[]> {
  if ((await stat(file)).isDirectory()) return modelFilesOf(file, what);
  // Whatever else a path leads to is not sent anywhere.
  await requireFileKind(file, file.toLowerCase().endsWith('.safetensors') ? 'safetensors' : 'gguf');
  return [{ path: file, name: path.basename(file) }];
}

/** Files are the caller's: what is wrong with them is said, and is no defect. */
function readable(error: unknown): unknown {
  if (isObeliskError(error) || systemCodeOf(error) === undefined) return error;
  return new ObeliskError(
    'invalid_request',
    `what the model is made of cannot be read: ${messageOf(error)}`,
    {
      cause: error,
    },
  );
}
