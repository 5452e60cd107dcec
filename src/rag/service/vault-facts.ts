import { detachedString } from '../../shared/detached-string.ts';
import { createLinkResolver, type LinkResolver } from '../../vault/links.ts';
import type { Note } from '../../vault/note.ts';
import type { VaultListing } from '../../vault/walk.ts';
import type { VaultStatus } from '../library.ts';

type LinkCounts = VaultStatus['links'];
type Warning = VaultStatus['warnings'][number];
type NoteFacts = { readonly targets: readonly string[]; readonly warnings: readonly Warning[] };

const NONE: LinkCounts = { resolved: 0, ambiguous: 0, unresolved: 0 };

/** Adds or takes away (`by` -1) the counts of a note. */
function plus(a: LinkCounts, b: LinkCounts, by: 1 | -1): LinkCounts {
  return {
    resolved: a.resolved + by * b.resolved,
    ambiguous: a.ambiguous + by * b.ambiguous,
    unresolved: a.unresolved + by * b.unresolved,
  };
}

/**
 * What a vault's status tells beyond its index: where links lead, what was odd about notes. Kept in
 * memory only; notes that the index already knew are read for it after the index is ready.
 */
export class VaultFacts {
  readonly #notes = new Map<string, NoteFacts>();
  readonly #counts = new Map<string, LinkCounts>();
  /** Notes whose links must be resolved again: any file that comes or goes can change any link. */
  readonly #stale = new Set<string>();
  #paths: ReadonlySet<string> = new Set();
  #resolver: LinkResolver = createLinkResolver([]);
  #totals: LinkCounts = NONE;

  get resolver(): LinkResolver {
    return this.#resolver;
  }

  /** Takes over which files there are. */
  setFiles(listing: Pick<VaultListing, 'notes' | 'attachments'>): void {
    const paths = new Set([...listing.notes, ...listing.attachments].map(({ path }) => path));
    for (const path of this.#paths) if (!paths.has(path)) this.#resolver.remove(path);
    const added = [...paths].filter((path) => !this.#paths.has(path));
    for (const path of added) this.#resolver.add({ path });
    const changed = added.length > 0 || paths.size !== this.#paths.size;
    this.#paths = paths;
    const notes = new Set(listing.notes.map(({ path }) => path));
    for (const path of this.#notes.keys()) if (!notes.has(path)) this.removeNote(path);
    if (changed) for (const path of this.#notes.keys()) this.#stale.add(path);
  }

  setNote(note: Note, problem?: string): void {
    const warnings = note.warnings.map(({ line, message }) => ({ path: note.path, line, message }));
    if (problem !== undefined) warnings.push({ path: note.path, line: 1, message: problem });
    this.#notes.set(note.path, { targets: note.links.map(({ target }) => detachedString(target)), warnings });
    const aliases = note.aliases.map(detachedString);
    if (aliases.length > 0) this.#resolver.add({ path: note.path, aliases });
    this.#stale.add(note.path);
  }

  removeNote(path: string): void {
    this.#notes.delete(path);
    this.#stale.delete(path);
    this.#count(path, NONE);
  }

  knows(path: string): boolean {
    return this.#notes.has(path);
  }

  /** Resolves links until nothing is stale (true) or `goOn` says to stop (false). */
  settle(goOn: () => boolean): boolean {
    for (const path of this.#stale) {
      if (!goOn()) return false;
      this.#stale.delete(path);
      const counts = { ...NONE };
      for (const target of this.#notes.get(path)?.targets ?? []) {
        counts[this.#resolver.resolve({ target }, path).state] += 1;
      }
      this.#count(path, counts);
    }
    return true;
  }

  get links(): LinkCounts {
    return this.#totals;
  }

  warnings(most: number): Warning[] {
    const found: Warning[] = [];
    for (const { warnings } of this.#notes.values()) {
      found.push(...warnings);
      if (found.length >= most) return found.slice(0, most);
    }
    return found;
  }

  #count(path: string, counts: LinkCounts): void {
    this.#totals = plus(plus(this.#totals, this.#counts.get(path) ?? NONE, -1), counts, 1);
    if (counts === NONE) this.#counts.delete(path);
    else this.#counts.set(path, counts);
  }
}
