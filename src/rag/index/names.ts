import type { Catalogue, NameEntry } from './catalogue.ts';
import type { Question } from './question.ts';
import type { TermCounts } from './term-counts.ts';

/** How much covering only part of the question lowers a match: the exponent of the covered share. */
export const COVERAGE_EXPONENT = 0.25;

type NameMatch = { name: number; question: number };

function matchedNames(
  question: Question,
  catalogue: Catalogue,
  counts: TermCounts,
): Map<NameEntry, NameMatch> {
  const matches = new Map<NameEntry, NameMatch>();
  const take = (term: string, idf: number, likeness: number): void => {
    for (const entry of catalogue.namesWith(term)) {
      const match = matches.get(entry) ?? { name: 0, question: 0 };
      match.name += counts.idf(term) * likeness;
      match.question += idf * likeness;
      matches.set(entry, match);
    }
  };
  for (const { term, idf, guesses } of question.terms) {
    take(term, idf, 1);
    for (const guess of guesses) take(guess.term, idf, guess.likeness);
  }
  return matches;
}

/**
 * Scores notes (0–1) by the best of their names: the share of the name that the question says, by idf,
 * lowered where the name covers little of the question.
 */
export function nameScores(
  question: Question,
  catalogue: Catalogue,
  counts: TermCounts,
): Map<number, number> {
  const scores = new Map<number, number>();
  for (const [entry, match] of matchedNames(question, catalogue, counts)) {
    const whole = entry.terms.reduce((sum, term) => sum + counts.idf(term), 0);
    const covered = Math.min(1, match.question / question.mass);
    const score = Math.min(1, match.name / whole) * covered ** COVERAGE_EXPONENT;
    if (score > (scores.get(entry.noteId) ?? 0)) scores.set(entry.noteId, score);
  }
  return scores;
}
