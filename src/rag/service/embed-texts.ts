import { isObeliskError, messageOf } from '../../shared/errors.ts';
import type { PendingChunk } from '../index/types.ts';
import { abortable } from './abortable.ts';
import type { EmbeddingPort } from './query-embedding.ts';

/** What became of a batch. */
export type EmbeddedTexts = {
  readonly vectors: readonly { readonly id: number; readonly vector: Float32Array }[];
  /** Texts that the model refused however short they were made. */
  readonly refused: readonly number[];
  readonly warnings: readonly string[];
};

const KEEP_SHARE = 0.8;
/** 0.8 to the eighth is a sixth: what does not fit then is not a matter of length. */
const MOST_CUTS = 8;
/** How Ollama, llama.cpp and OpenAI-compatible servers say that a text is too long. */
const TOO_LONG =
  /context (?:length|window|size)|maximum (?:context|sequence|input|token)|too (?:long|large|many tokens)|exceeds? (?:the )?(?:max|context|limit|batch)|input length/i;

function isTooLong(error: unknown): boolean {
  return (
    (isObeliskError(error) && error.code === 'context_length_exceeded') || TOO_LONG.test(messageOf(error))
  );
}

/**
 * Embeds a batch. Where a text is too long for the model, the texts are sent one by one and the long
 * one with 80 % of itself, again and again; every cut is told in a warning.
 * @throws whatever the port throws that is not about the length of a text.
 */
export async function embedTexts(
  chunks: readonly PendingChunk[],
  port: EmbeddingPort,
  signal: AbortSignal,
): Promise<EmbeddedTexts> {
  try {
    const texts = chunks.map(({ embedText }) => embedText);
    const vectors = await abortable(port.embed(texts, signal), signal);
    return { vectors: pair(chunks, vectors), refused: [], warnings: [] };
  } catch (error) {
    if (!isTooLong(error)) throw error;
  }
  const vectors: { id: number; vector: Float32Array }[] = [];
  const refused: number[] = [];
  const warnings: string[] = [];
  for (const chunk of chunks) {
    const { vector, kept } = await embedCut(chunk.embedText, port, signal);
    const title = (chunk.embedText.split('\n', 1)[0] ?? '').slice(0, 80);
    if (vector === undefined) {
      refused.push(chunk.id);
      warnings.push(`the embedding model refused a passage of "${title}"; it is found by its words only`);
      continue;
    }
    vectors.push({ id: chunk.id, vector });
    if (kept < 1) {
      const percent = String(Math.round(kept * 100));
      warnings.push(
        `a passage of "${title}" is too long for the embedding model; ${percent} % of it were embedded`,
      );
    }
  }
  return { vectors, refused, warnings };
}

async function embedCut(
  text: string,
  port: EmbeddingPort,
  signal: AbortSignal,
): Promise<{ readonly vector?: Float32Array; readonly kept: number }> {
  let kept = 1;
  for (let cuts = 0; cuts <= MOST_CUTS; cuts += 1) {
    try {
      const [vector] = await abortable(port.embed([cut(text, kept)], signal), signal);
      return vector === undefined ? { kept } : { vector, kept };
    } catch (error) {
      if (!isTooLong(error)) throw error;
      kept *= KEEP_SHARE;
    }
  }
  return { kept };
}

/** The first part of a text; never half of a surrogate pair. */
function cut(text: string, share: number): string {
  return share === 1 ? text : text.slice(0, Math.floor(text.length * share)).replace(/[\ud800-\udbff]$/u, '');
}

function pair(
  chunks: readonly PendingChunk[],
  vectors: readonly Float32Array[],
): { id: number; vector: Float32Array }[] {
  return chunks.flatMap(({ id }, at) => {
    const vector = vectors[at];
    return vector === undefined ? [] : [{ id, vector }];
  });
}
