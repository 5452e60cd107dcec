import { posix } from 'node:path';
import type { Link } from './note.ts';

/** How a link was resolved: by what rule, and to what. */
export type LinkResolution = {
  readonly state: 'resolved' | 'ambiguous' | 'unresolved';
  /** Vault path of the note or file; absent when unresolved. */
  readonly path?: string;
  /** The files that fit equally well, the chosen one first, when ambiguous. At most 10. */
  readonly candidates?: readonly string[];
  /**
   * `self`: an empty target. `path`: from the vault's root. `relative`: `./` or `../`. `name`: the
   * only file of that name. `suffix`: the end of a path. `alias`: a property of the note.
   */
  readonly by?: 'self' | 'path' | 'relative' | 'name' | 'suffix' | 'alias';
};

/** A file that links can lead to. */
export type LinkTarget = { readonly path: string; readonly aliases?: readonly string[] };

/** Resolves links of one vault; kept up to date as files come and go. */
export type LinkResolver = {
  /** Case and Unicode form do not matter; `.md` is optional for notes. */
  resolve(link: Pick<Link, 'target'>, fromPath: string): LinkResolution;
  /** Adds a file, or replaces the aliases of one that is there. */
  add(target: LinkTarget): void;
  remove(path: string): void;
  rename(from: string, to: string): void;
  readonly size: number;
};

const MOST_CANDIDATES = 10;

type Rule = NonNullable<LinkResolution['by']>;
type Entry = { readonly path: string; readonly aliases: readonly string[] };

/** Form in which names are compared: Unicode NFC, lower case, blanks collapsed. */
function fold(text: string): string {
  return text.normalize('NFC').toLowerCase().replaceAll('\\', '/').replace(/\s+/g, ' ').trim();
}

function withoutMarkdownExtension(path: string): string {
  return path.endsWith('.md') ? path.slice(0, -3) : path;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** Shortest path first (fewest folders), then alphabetical by code unit, so that the choice is stable. */
function comparePaths(left: string, right: string): number {
  const depth = left.split('/').length - right.split('/').length;
  if (depth !== 0) return depth;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Paths under a key, each list in the order of preference. */
class PathIndex {
  readonly #paths: Map<string, string[]> = new Map();

  get(key: string): readonly string[] {
    return this.#paths.get(key) ?? [];
  }

  add(key: string, path: string): void {
    const paths = this.#paths.get(key);
    if (paths === undefined) this.#paths.set(key, [path]);
    else if (paths[insertionPoint(paths, path)] !== path) paths.splice(insertionPoint(paths, path), 0, path);
  }

  remove(key: string, path: string): void {
    const paths = this.#paths.get(key);
    if (paths === undefined) return;
    const at = insertionPoint(paths, path);
    if (paths[at] === path) paths.splice(at, 1);
    if (paths.length === 0) this.#paths.delete(key);
  }
}

function insertionPoint(paths: readonly string[], path: string): number {
  let low = 0;
  let high = paths.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePaths(paths[middle] ?? '', path) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

class VaultLinkResolver implements LinkResolver {
  readonly #entries: Map<string, Entry> = new Map();
  /** By folded path, with extension and, for notes, without. */
  readonly #byPath: PathIndex = new PathIndex();
  /** By folded file name, with extension and, for notes, without. */
  readonly #byName: PathIndex = new PathIndex();
  readonly #byAlias: PathIndex = new PathIndex();

  get size(): number {
    return this.#entries.size;
  }

  add(target: LinkTarget): void {
    const path = target.path.normalize('NFC');
    const aliases = target.aliases ?? [];
    this.remove(path);
    this.#entries.set(path, { path, aliases });
    for (const key of keysOf(fold(path))) {
      this.#byPath.add(key, path);
      this.#byName.add(lastPart(key), path);
    }
    for (const alias of aliases) this.#byAlias.add(fold(alias), path);
  }

  remove(path: string): void {
    const entry = this.#entries.get(path.normalize('NFC'));
    if (entry === undefined) return;
    this.#entries.delete(entry.path);
    for (const key of keysOf(fold(entry.path))) {
      this.#byPath.remove(key, entry.path);
      this.#byName.remove(lastPart(key), entry.path);
    }
    for (const alias of entry.aliases) this.#byAlias.remove(fold(alias), entry.path);
  }

  rename(from: string, to: string): void {
    const entry = this.#entries.get(from.normalize('NFC'));
    this.remove(from);
    this.add({ path: to, ...(entry === undefined ? {} : { aliases: entry.aliases }) });
  }

  resolve(link: Pick<Link, 'target'>, fromPath: string): LinkResolution {
    const written = link.target.normalize('NFC').trim();
    if (written === '') return { state: 'resolved', path: fromPath, by: 'self' };
    const target = fold(written);
    if (/^\.\.?\//.test(target)) return this.#relative(written, fromPath);
    const rooted = target.startsWith('/');
    const path = rooted ? target.replace(/^\/+/, '') : target;
    const exact = this.#byPath.get(path);
    if (exact.length > 0) return chooseByCase(exact, 'path', written);
    if (rooted) return { state: 'unresolved' };
    return this.#byEnd(path, fromPath) ?? this.#alias(target) ?? { state: 'unresolved' };
  }

  #relative(written: string, fromPath: string): LinkResolution {
    const joined = posix.join(folderOf(fromPath), written.replaceAll('\\', '/'));
    if (joined.startsWith('..')) return { state: 'unresolved' };
    const found = this.#byPath.get(fold(joined));
    return found.length === 0 ? { state: 'unresolved' } : chooseByCase(found, 'relative', joined);
  }

  /** A file name, or the end of a path: `folder/note` leads to `x/folder/note.md`. */
  #byEnd(path: string, fromPath: string): LinkResolution | undefined {
    const named = this.#byName.get(lastPart(path));
    const suffix = path.includes('/');
    const found = suffix ? named.filter((candidate) => endsWithPath(fold(candidate), path)) : named;
    if (found.length === 0) return undefined;
    const folder = folderOf(fromPath);
    const beside = this.#byPath.get(fold(folder === '' ? path : `${folder}/${path}`))[0];
    return choose(found, suffix ? 'suffix' : 'name', beside ?? found[0] ?? '');
  }

  #alias(target: string): LinkResolution | undefined {
    const found = this.#byAlias.get(target);
    return found.length === 0 ? undefined : choose(found, 'alias', found[0] ?? '');
  }
}

function keysOf(folded: string): string[] {
  return folded.endsWith('.md') ? [folded, withoutMarkdownExtension(folded)] : [folded];
}

function endsWithPath(candidate: string, path: string): boolean {
  return candidate.endsWith(`/${path}`) || withoutMarkdownExtension(candidate).endsWith(`/${path}`);
}

/** On a case-sensitive disk paths may differ in case only: the one as written wins. */
function chooseByCase(paths: readonly string[], by: Rule, written: string): LinkResolution {
  const wanted = written.replace(/^\/+/, '');
  const exact = paths.find((path) => path === wanted || path === `${wanted}.md`);
  return exact === undefined ? choose(paths, by, paths[0] ?? '') : { state: 'resolved', path: exact, by };
}

function choose(paths: readonly string[], by: Rule, chosen: string): LinkResolution {
  if (paths.length === 1) return { state: 'resolved', path: chosen, by };
  const others = paths.slice(0, MOST_CANDIDATES).filter((path) => path !== chosen);
  return { state: 'ambiguous', path: chosen, candidates: [chosen, ...others].slice(0, MOST_CANDIDATES), by };
}

/**
 * Resolves links as Obsidian does: the same note, an exact path from the root, a relative path, then
 * a file name or the end of a path. Of several that fit equally, Obsidian does not say which it
 * takes; here it is the one beside the linking note, then the one in the fewest folders, then the
 * first by alphabet, and the result says `ambiguous`. What is still not found is looked for among the
 * aliases, which Obsidian itself does not do. A lookup of a name costs the same in any vault.
 */
export function createLinkResolver(targets: Iterable<LinkTarget>): LinkResolver {
  const resolver = new VaultLinkResolver();
  for (const target of targets) resolver.add(target);
  return resolver;
}
