import { z } from 'zod';
import type { VaultIndex } from '../../src/rag/index/types.ts';

/** Embeds texts; vectors in their order. */
export type EmbedFunction = (texts: readonly string[]) => Promise<readonly Float32Array[]>;

const EMBEDDINGS = z.object({ embeddings: z.array(z.array(z.number())) });
const TAGS = z.object({ models: z.array(z.object({ name: z.string(), digest: z.string() })) });
const BATCH = 8;
const REQUEST_TIMEOUT_MS = 120_000;
/** What is kept of a text that a model refuses as too long although it was told to truncate. */
const SHORTENED = 0.8;
const SHORTEST = 32;

async function post(host: string, model: string, input: readonly string[]): Promise<Response> {
  return fetch(`${host}/api/embed`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, input, truncate: true }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
}

async function embedOne(host: string, model: string, text: string): Promise<Float32Array> {
  for (let rest = text; rest.length >= SHORTEST; rest = rest.slice(0, Math.floor(rest.length * SHORTENED))) {
    const response = await post(host, model, [rest]);
    if (response.ok) return new Float32Array(EMBEDDINGS.parse(await response.json()).embeddings[0] ?? []);
    const reason = await response.text();
    if (!reason.includes('context length')) throw new Error(`embedding failed: ${response.status} ${reason}`);
    console.error(`shortening a text of ${rest.length} characters: ${reason.trim()}`);
  }
  throw new Error('a text was refused at every length');
}

/** Embeds through an Ollama's own API. */
export function ollamaEmbedder(host: string, model: string): EmbedFunction {
  return async (texts) => {
    const response = await post(host, model, texts);
    if (response.ok) {
      return EMBEDDINGS.parse(await response.json()).embeddings.map((vector) => new Float32Array(vector));
    }
    await response.body?.cancel();
    const vectors: Float32Array[] = [];
    for (const text of texts) vectors.push(await embedOne(host, model, text));
    return vectors;
  };
}

/** The digest by which Ollama knows a model. */
export async function ollamaDigest(host: string, model: string): Promise<string> {
  const response = await fetch(`${host}/api/tags`);
  const { models } = TAGS.parse(await response.json());
  const found = models.find(({ name }) => name === model || name === `${model}:latest`);
  if (found === undefined)
    throw new Error(`${host} has no model ${model}; it has ${models.map((m) => m.name).join(', ')}`);
  return found.digest;
}

/** Pins a model and embeds every chunk of an index. */
export async function embedIndex(
  index: VaultIndex,
  model: { readonly name: string; readonly digest: string },
  embed: EmbedFunction,
): Promise<void> {
  const [probe] = await embed(['dimensions']);
  index.pinEmbeddingModel({ ...model, dimensions: probe?.length ?? 0 });
  for (
    let pending = index.chunksWithoutVector(BATCH);
    pending.length > 0;
    pending = index.chunksWithoutVector(BATCH)
  ) {
    const vectors = await embed(pending.map((chunk) => chunk.embedText));
    index.putVectors(
      model.digest,
      pending.map(({ id }, at) => ({ id, vector: vectors[at] ?? new Float32Array() })),
    );
  }
}
