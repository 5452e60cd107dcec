import { type Catalogue, comparable, type NoteEntry } from './catalogue.ts';

const MENTION = /\[\[([^[\]]+)\]\]/gu;

function targetOf(inner: string): string {
  const [target = ''] = inner.split(/[|#]/u);
  return comparable(target.trim()).replace(/\.md$/u, '').replace(/^\/+/u, '');
}

function matchesPath(note: NoteEntry, target: string): boolean {
  const path = comparable(note.path).replace(/\.md$/u, '');
  return path === target || path.endsWith(`/${target}`);
}

function byDepthAndName(a: NoteEntry, b: NoteEntry): number {
  return a.path.split('/').length - b.path.split('/').length || (a.path < b.path ? -1 : 1);
}

/**
 * Finds the notes that a question names as `[[note]]`, in order: by path or the end of a path, else by
 * title or alias. Of several the one nearest to the vault's root counts, as in Obsidian.
 */
export function mentionedNotes(query: string, catalogue: Catalogue): NoteEntry[] {
  const found = new Map<number, NoteEntry>();
  for (const [, inner = ''] of query.matchAll(MENTION)) {
    const target = targetOf(inner);
    if (target === '') continue;
    const name = target.slice(target.lastIndexOf('/') + 1);
    const byPath = catalogue.notesNamed(name).filter((note) => matchesPath(note, target));
    const [note] = (byPath.length > 0 ? byPath : catalogue.notesNamed(target)).sort(byDepthAndName);
    if (note !== undefined) found.set(note.id, note);
  }
  return [...found.values()];
}
