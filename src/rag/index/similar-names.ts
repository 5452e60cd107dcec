import type { RankedNote } from '../types.ts';
import { comparable, namesOf, type NoteEntry } from './catalogue.ts';

function letterPairs(text: string): Set<string> {
  const letters = Array.from(comparable(text));
  return new Set(letters.slice(1).map((letter, index) => `${letters[index]}${letter}`));
}

/** Dice's coefficient of two sets of letter pairs. */
function likeness(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  let common = 0;
  for (const pair of left) if (right.has(pair)) common += 1;
  return common === 0 ? 0 : (2 * common) / (left.size + right.size);
}

/**
 * Names the notes whose names look most like a question of which no word was found, best first, with
 * their likeness (0–1) as score; notes that have no letter pair in common are left out.
 */
export function similarNames(query: string, notes: readonly NoteEntry[], limit: number): RankedNote[] {
  const wanted = letterPairs(query);
  return notes
    .map((note) => ({
      path: note.path,
      title: note.title,
      score: Math.max(...namesOf(note).map((name) => likeness(wanted, letterPairs(name))), 0),
    }))
    .filter((note) => note.score > 0)
    .sort((a, b) => b.score - a.score || (a.path < b.path ? -1 : 1))
    .slice(0, limit);
}
