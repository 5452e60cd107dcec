import type { LexicalMatch } from './lexical.ts';
import type { VectorMatch } from './vectors.ts';

/** What was found for one question. */
export type Evidence = {
  readonly lexical: readonly LexicalMatch[];
  /** Name scores (0–1) by note. */
  readonly names: ReadonlyMap<number, number>;
  readonly vectors: readonly VectorMatch[];
};

/** A chunk's place within its note. */
export type ScoredChunk = { readonly chunkId: number; readonly score: number; readonly cosine?: number };

/** A note's score and its found chunks, best first; none where only its name matched. */
export type ScoredNote = {
  readonly noteId: number;
  readonly score: number;
  readonly chunks: readonly ScoredChunk[];
};

const NAME_WEIGHT = 0.6;
/** Share of the vectors in the convex combination: for a small embedding model the middle of a plateau from 0.38 to 0.52. */
const VECTOR_WEIGHT = 0.45;

type Parts = { lexical?: number; cosine?: number };

function maximum(values: Iterable<number>): number {
  let best = 0;
  for (const value of values) if (value > best) best = value;
  return best;
}

/** Best chunk ÷ the best of all, plus what the note's name covers. */
function lexicalNoteScores(evidence: Evidence): Map<number, number> {
  const best = maximum(evidence.lexical.map((match) => match.score));
  const scores = new Map<number, number>();
  for (const { noteId, score } of evidence.lexical) {
    scores.set(noteId, Math.max(scores.get(noteId) ?? 0, score / best));
  }
  for (const [noteId, score] of evidence.names) {
    scores.set(noteId, (scores.get(noteId) ?? 0) + NAME_WEIGHT * score);
  }
  return scores;
}

function cosinesOf(matches: readonly VectorMatch[], key: 'noteId' | 'chunkId'): Map<number, number> {
  const cosines = new Map<number, number>();
  for (const match of matches) {
    const cosine = Math.max(0, match.cosine);
    cosines.set(match[key], Math.max(cosines.get(match[key]) ?? 0, cosine));
  }
  return cosines;
}

/**
 * Mixes two lists, each divided by its maximum. What has no vector (not embedded yet) counts as if its
 * vector said what its words say; what has no words in common with the question has 0 there.
 */
function mix(
  lexical: ReadonlyMap<number, number>,
  cosines: ReadonlyMap<number, number>,
): Map<number, number> {
  const best = { lexical: maximum(lexical.values()), cosine: maximum(cosines.values()) };
  const parts = new Map<number, Parts>();
  for (const [id, score] of lexical) parts.set(id, { lexical: best.lexical > 0 ? score / best.lexical : 0 });
  for (const [id, score] of cosines) {
    parts.set(id, { ...parts.get(id), cosine: best.cosine > 0 ? score / best.cosine : 0 });
  }
  const scores = new Map<number, number>();
  for (const [id, { lexical: words = 0, cosine = words }] of parts) {
    scores.set(id, (1 - VECTOR_WEIGHT) * words + VECTOR_WEIGHT * cosine);
  }
  return scores;
}

function chunkScores(evidence: Evidence): Map<number, number> {
  const lexical = new Map(evidence.lexical.map((match) => [match.chunkId, match.score]));
  return evidence.vectors.length === 0 ? lexical : mix(lexical, cosinesOf(evidence.vectors, 'chunkId'));
}

function chunksByNote(evidence: Evidence): Map<number, ScoredChunk[]> {
  const cosines = new Map(evidence.vectors.map((match) => [match.chunkId, match.cosine]));
  const notes = new Map(
    [...evidence.lexical, ...evidence.vectors].map((match) => [match.chunkId, match.noteId]),
  );
  const byNote = new Map<number, ScoredChunk[]>();
  for (const [chunkId, score] of chunkScores(evidence)) {
    const noteId = notes.get(chunkId) ?? 0;
    const cosine = cosines.get(chunkId);
    const list = byNote.get(noteId) ?? [];
    list.push({ chunkId, score, ...(cosine === undefined ? {} : { cosine }) });
    byNote.set(noteId, list);
  }
  for (const list of byNote.values()) list.sort((a, b) => b.score - a.score || a.chunkId - b.chunkId);
  return byNote;
}

/**
 * Ranks notes: words and names added, then mixed with vectors where the question has one. A convex
 * combination, because fusion by rank loses where one list is clearly the weaker one.
 */
export function rankNotes(evidence: Evidence): ScoredNote[] {
  const words = lexicalNoteScores(evidence);
  const scores = evidence.vectors.length === 0 ? words : mix(words, cosinesOf(evidence.vectors, 'noteId'));
  const chunks = chunksByNote(evidence);
  return [...scores].map(([noteId, score]) => ({ noteId, score, chunks: chunks.get(noteId) ?? [] }));
}
