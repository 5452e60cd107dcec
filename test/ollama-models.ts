/**
 * A real Ollama for tests: where it is, and the tiny models that tests make in it by themselves. What
 * is not there is named, so that a test can skip out loud.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { ollamaUrl } from '../src/shared/ollama-url.ts';

const run = promisify(execFile);

/** Writes GGUF files of random weights that Ollama loads; beside the repository where there is one. */
const GENERATOR: string = path.resolve(import.meta.dirname, '../../shared/fixtures/tiny-gguf.mjs');

/** A real Ollama with two tiny models in it, which leave it again when this is disposed of. */
export type RealOllama = AsyncDisposable & {
  readonly url: string;
  readonly version: string;
  /** A chat model of 2,048 tokens. */
  readonly chat: string;
  /** An embedding model of 512 tokens and 32 dimensions. */
  readonly embed: string;
};

/**
 * Finds Ollama through `OLLAMA_HOST` and makes the tiny models in it, under names that no other run
 * uses; or says why a test must be skipped.
 */
export async function findRealOllama(): Promise<RealOllama | { readonly skip: string }> {
  if (process.env['OLLAMA_HOST'] === undefined) return { skip: 'OLLAMA_HOST is not set: no real Ollama' };
  const { url } = ollamaUrl({ environment: process.env });
  const version = await versionAt(url);
  if (version === undefined) return { skip: `no Ollama answers at ${url}` };
  if (!existsSync(GENERATOR)) return { skip: 'the generator of tiny models is not there' };
  const [chat, embed] = [
    `obelisk-test-chat-${process.pid}:latest`,
    `obelisk-test-embed-${process.pid}:latest`,
  ];
  await makeTinyModel(url, { model: chat, kind: 'llama' });
  await makeTinyModel(url, { model: embed, kind: 'bert' });
  return {
    url,
    version,
    chat,
    embed,
    async [Symbol.asyncDispose]() {
      for (const model of [chat, embed])
        await request(`${url}/api/delete`, 'DELETE', JSON.stringify({ model }));
    },
  };
}

async function versionAt(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/api/version`, { signal: AbortSignal.timeout(5_000) });
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null && 'version' in body ? String(body.version) : undefined;
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Writes a GGUF file of random weights that Ollama loads. */
export async function writeTinyGguf(file: string, kind: 'llama' | 'bert'): Promise<void> {
  await run(process.execPath, [GENERATOR, kind, file]);
}

/** Makes chat models that differ in one weight, so that Ollama loads each of them by itself. */
export async function makeTinyChatModels(url: string, names: readonly string[]): Promise<void> {
  for (const [index, model] of names.entries()) {
    await makeTinyModel(url, { model, kind: 'llama', variant: index + 1 });
  }
}

/** Removes models; one that is not there is fine. */
export async function removeModels(url: string, names: readonly string[]): Promise<void> {
  for (const model of names) {
    await fetch(`${url}/api/delete`, { method: 'DELETE', body: JSON.stringify({ model }) });
  }
}

/** Makes a model through the API: `/api/blobs`, then `/api/create` with the digest. */
async function makeTinyModel(
  url: string,
  {
    model,
    kind,
    variant = 0,
  }: { readonly model: string; readonly kind: 'llama' | 'bert'; readonly variant?: number },
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'obelisk-gguf-'));
  try {
    const file = path.join(folder, `${kind}.gguf`);
    await writeTinyGguf(file, kind);
    const bytes = await readFile(file);
    // The lowest byte of the last weight.
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 4) ^ variant, bytes.length - 4);
    const digest = await upload(url, bytes);
    await request(
      `${url}/api/create`,
      'POST',
      JSON.stringify({ model, files: { 'tiny.gguf': digest }, stream: false }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function upload(url: string, bytes: Buffer<ArrayBuffer>): Promise<string> {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const there = await fetch(`${url}/api/blobs/${digest}`, { method: 'HEAD' });
  if (there.status !== 200) await request(`${url}/api/blobs/${digest}`, 'POST', bytes);
  return digest;
}

async function request(url: string, method: string, body: string | Buffer<ArrayBuffer>): Promise<void> {
  const response = await fetch(url, { method, body });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}
