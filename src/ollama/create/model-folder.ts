import { readdir, realpath } from 'node:fs/promises';
import path from 'node:path';

import { ObeliskError } from '../../shared/errors.ts';

import { requireFileKind } from './file-kind.ts';
import type { FileKind } from './file-kind.ts';

/** A file of a model: where it is, and its name for Ollama, relative and with `/`. */
export type ModelFile = { readonly path: string; readonly name: string };

type Weights = { readonly pattern: RegExp; readonly kind: FileKind };

/** Where weights are looked for, in Ollama's own order; the first that is there is taken. */
const MODEL_WEIGHTS: readonly Weights[] = [
  { pattern: /^model.*\.safetensors$/, kind: 'any' },
  { pattern: /^consolidated.*\.safetensors$/, kind: 'any' },
  { pattern: /^pytorch_model.*\.bin$/, kind: 'zip' },
  { pattern: /^consolidated.*\.pth$/, kind: 'zip' },
  { pattern: /^.*\.gguf$/, kind: 'gguf' },
  { pattern: /^.*\.bin$/, kind: 'gguf' },
];
/** What PEFT and MLX call the weights of an adapter, which Ollama's own client no longer finds. */
const ADAPTER_WEIGHTS: readonly Weights[] = [
  { pattern: /^adapter_model.*\.safetensors$/, kind: 'any' },
  { pattern: /^adapters.*\.safetensors$/, kind: 'any' },
  ...MODEL_WEIGHTS,
];
const NESTED_WEIGHTS = /^[^/]+\/model.*\.safetensors$/;
const JSON_FILE = /^(?:[^/]+\/)?[^/]+\.json$/;
const TOKENIZER = 'tokenizer.model';

/**
 * Chooses the files of a folder that make a model, as Ollama's own client does, and keeps their places
 * in the folder: `1_Pooling/config.json` is not `config.json`.
 * @throws ObeliskError `invalid_request` where there is no model, a file is not what its name says, or
 *   a link leads out of the folder.
 */
export async function modelFilesOf(folder: string, what: 'model' | 'adapter'): Promise<readonly ModelFile[]> {
  const root = await realpath(folder);
  const names = await namesIn(root);
  const weights = weightsIn(names, what === 'adapter' ? ADAPTER_WEIGHTS : MODEL_WEIGHTS);
  if (weights === undefined) {
    const known = 'model*.safetensors, pytorch_model*.bin, consolidated*.pth or *.gguf';
    throw new ObeliskError('invalid_request', `${folder} has no ${what} in it: no ${known}`);
  }
  const chosen = new Map<string, FileKind>(weights.names.map((name) => [name, weights.kind]));
  // GGUF has everything in it, and Ollama refuses any other file beside it.
  if (weights.kind !== 'gguf') addConfiguration(chosen, names);
  const files: ModelFile[] = [];
  for (const [name, kind] of chosen) {
    const file = path.join(root, name);
    await requireInside(root, file);
    await requireFileKind(file, kind);
    files.push({ path: file, name });
  }
  return files;
}

function weightsIn(
  names: readonly string[],
  table: readonly Weights[],
): { readonly names: readonly string[]; readonly kind: FileKind } | undefined {
  const top = names.filter((name) => !name.includes('/'));
  for (const { pattern, kind } of table) {
    const found = top.filter((name) => pattern.test(name));
    if (found.length === 0) continue;
    // Models of several parts have weights one level down as well.
    const nested =
      found[0]?.startsWith('model') === true ? names.filter((name) => NESTED_WEIGHTS.test(name)) : [];
    return { names: [...found, ...nested], kind };
  }
  return undefined;
}

function addConfiguration(chosen: Map<string, FileKind>, names: readonly string[]): void {
  for (const name of names)
    if (JSON_FILE.test(name) || name === 'chat_template.jinja') chosen.set(name, 'text');
  const tokenizer = names.includes(TOKENIZER)
    ? TOKENIZER
    : names.find((name) => name.endsWith(`/${TOKENIZER}`));
  if (tokenizer !== undefined) chosen.set(tokenizer, 'any');
}

/** Files of a folder and of the folders in it, with `/`, sorted; what is hidden is not looked at. */
async function namesIn(root: string): Promise<readonly string[]> {
  const top = await entriesOf(root);
  const nested = await Promise.all(
    top.folders.map(async (folder) => {
      const { files } = await entriesOf(path.join(root, folder));
      return files.map((file) => `${folder}/${file}`);
    }),
  );
  return [...top.files, ...nested.flat()].sort();
}

async function entriesOf(
  folder: string,
): Promise<{ readonly files: readonly string[]; readonly folders: readonly string[] }> {
  const visible = (await readdir(folder, { withFileTypes: true })).filter(
    ({ name }) => !name.startsWith('.'),
  );
  return {
    files: visible.filter((entry) => !entry.isDirectory()).map(({ name }) => name),
    folders: visible.filter((entry) => entry.isDirectory()).map(({ name }) => name),
  };
}

/** A folder that was downloaded may hold links; what they lead to is not part of it. */
async function requireInside(root: string, file: string): Promise<void> {
  const relative = path.relative(root, await realpath(file));
  if (!relative.startsWith('..') && !path.isAbsolute(relative)) return;
  throw new ObeliskError(
    'invalid_request',
    `${file} is a link that leads out of its folder; copy the files into the folder, or download them with --local-dir`,
  );
}
