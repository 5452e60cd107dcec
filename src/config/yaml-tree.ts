import { isAlias, isCollection, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Alias, Document, ErrorCode, Pair, YAMLMap } from 'yaml';
import { configError, printableKey } from './config-problem.ts';
import type { ConfigProblem, Place } from './config-problem.ts';

/** Keys and list indexes from the root of the file. */
export type Path = readonly (string | number)[];

/** A parsed file: plain values, and where each of them stands. */
export type YamlTree = {
  readonly value: unknown;
  /** Place of the key that names the value, or of the value where it has none. */
  readonly placeOf: (path: Path) => Place;
  /** Whether the scalar at a path was written without quotes. */
  readonly isPlain: (path: Path) => boolean;
};

/** Most values in one file, aliases counted as often as they are used: stops an alias bomb. */
const MAX_VALUES = 50_000;
/** Deepest nesting; the deepest key with a meaning is on level 7. */
const MAX_DEPTH = 32;

const NO_ANCHOR = 'an alias (*name) has no anchor (&name) above it; quote a value that starts with *';

/**
 * Own sentences for the parser's codes: its messages quote the text at fault, which can be a secret.
 */
const SYNTAX: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_ALIAS: NO_ANCHOR,
  BAD_DQ_ESCAPE: 'invalid escape in a double-quoted text; write \\\\ for a backslash, or use single quotes',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_SCALAR_START: 'a value cannot start with this character; quote it',
  BLOCK_AS_IMPLICIT_KEY: 'a nested mapping must start on a line of its own',
  BLOCK_IN_FLOW: 'a block cannot stand inside brackets',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line, followed by a colon',
  RESOURCE_EXHAUSTION: `values are nested deeper than ${MAX_DEPTH}`,
  MULTIPLE_DOCS: 'only one document is allowed; remove the --- line',
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'a tag (!name) has no meaning here; remove it, or quote a value that starts with !',
  UNEXPECTED_TOKEN: 'unexpected text; check quotes and brackets',
};

/**
 * Parses YAML to plain values, knowing the line of each.
 * @throws ObeliskError `config_invalid` with file, line and column: syntax, duplicate keys, nesting
 *   deeper than 32, more than 50,000 values after aliases.
 */
export function parseYamlTree(file: string, text: string): YamlTree {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const document = parse(text, lines);
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) {
    // What follows a bare variable within braces is not understood either, and only because of it.
    const bare = wrong.find(({ pos }) => text.slice(pos[0] - 1, pos[0] + 1) === '${');
    const problems = (bare === undefined ? wrong : [bare]).map(({ pos, code }) => {
      const message =
        bare === undefined ? SYNTAX[code] : 'within braces a variable must be quoted: "${NAME}"';
      return { ...placeAt(pos[0]), message: message ?? 'this is not valid YAML' };
    });
    throw configError(file, problems);
  }
  const walk = new TreeWalk(placeAt);
  const value = walk.read(document.contents, []);
  if (walk.problems.length > 0) throw configError(file, walk.problems);
  return {
    value,
    placeOf: (path) => nearestPlace(walk.places, path),
    isPlain: (path) => walk.plain.has(pathKey(path)),
  };
}

/** A map key for a path. */
export function pathKey(path: Path): string {
  return path.join('\u0000');
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed {
  // uniqueKeys compares every key with every other; the walk below finds duplicates with a set.
  return parseDocument(text, {
    lineCounter,
    uniqueKeys: false,
    merge: true,
    prettyErrors: false,
    // 'silent' would take the first of several documents and drop the others.
    logLevel: 'error',
  });
}

function nearestPlace(places: ReadonlyMap<string, Place>, path: Path): Place {
  for (let length = path.length; length >= 0; length -= 1) {
    const place = places.get(pathKey(path.slice(0, length)));
    if (place) return place;
  }
  return { line: 1, column: 1 };
}

/** One reading of a document's nodes into plain values. */
class TreeWalk {
  readonly places: Map<string, Place> = new Map();
  readonly plain: Set<string> = new Set();
  readonly problems: ConfigProblem[] = [];
  readonly #anchors: Map<string, unknown> = new Map();
  readonly #targets: Map<Alias, unknown> = new Map();
  readonly #placeAt: (offset: number) => Place;
  #values = 0;

  constructor(placeAt: (offset: number) => Place) {
    this.#placeAt = placeAt;
  }

  read(node: unknown, path: Path): unknown {
    this.#values += 1;
    if (this.#values > MAX_VALUES) return this.#refuseOnce(node, `more than ${MAX_VALUES} values`);
    if (path.length > MAX_DEPTH) {
      return this.#refuseOnce(node, `values are nested deeper than ${MAX_DEPTH}`);
    }
    if (isAlias(node)) return this.#readAlias(node, path);
    this.#mark(node, path);
    if ((isScalar(node) || isCollection(node)) && node.anchor) this.#anchors.set(node.anchor, node);
    if (isMap(node)) return this.#readMap(node, path);
    if (isSeq(node)) return node.items.map((item, index) => this.read(item, [...path, index]));
    if (!isScalar(node)) return null;
    if (node.type === 'PLAIN') this.plain.add(pathKey(path));
    return typeof node.value === 'bigint' ? Number(node.value) : node.value;
  }

  #readAlias(alias: Alias, path: Path): unknown {
    const target = this.#targetOf(alias);
    if (target !== undefined) return this.read(target, path);
    this.#refuse(alias, NO_ANCHOR);
    return undefined;
  }

  /**
   * What an alias stands for. The parser's own look-up walks the whole document for each alias; an
   * anchor may be defined again further down, so the first answer is kept.
   */
  #targetOf(alias: Alias): unknown {
    const known = this.#targets.get(alias);
    if (known !== undefined) return known;
    const target = this.#anchors.get(alias.source);
    if (target !== undefined) this.#targets.set(alias, target);
    return target;
  }

  #readMap(map: YAMLMap, path: Path): unknown {
    const own = new Map<string, unknown>();
    const merged = new Map<string, unknown>();
    for (const pair of map.items) {
      if (isMergeKey(pair)) {
        this.#merge(pair.value, path, merged);
        continue;
      }
      const key = this.#keyOf(pair);
      if (key === undefined) continue;
      if (own.has(key)) this.#refuse(pair.key, `the key "${printableKey(key)}" appears twice in one mapping`);
      this.places.delete(pathKey([...path, key]));
      this.#mark(pair.key, [...path, key]);
      own.set(key, this.read(pair.value, [...path, key]));
    }
    return Object.fromEntries([...merged, ...own]);
  }

  /** YAML 1.1's `<<: *anchor`, which LiteLLM's loader understands: own keys win, earlier maps win. */
  #merge(source: unknown, path: Path, into: Map<string, unknown>): void {
    const target = isAlias(source) ? this.#targetOf(source) : source;
    for (const part of isSeq(target) ? target.items : [target]) {
      const value = this.read(part, path);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        this.#refuse(source, '<< takes a mapping, or a list of mappings');
        return;
      }
      for (const [key, child] of Object.entries(value)) if (!into.has(key)) into.set(key, child);
    }
  }

  #keyOf(pair: Pair): string | undefined {
    if (!isScalar(pair.key)) {
      this.#refuse(pair.key ?? pair.value, 'a key must be a plain text');
      return undefined;
    }
    const key = String(pair.key.value);
    if (key === '__proto__') {
      this.#refuse(pair.key, `"${key}" cannot be a key`);
      return undefined;
    }
    // In `{master_key:sk-…}` the whole text is a key without a value: the server would be left open.
    if (pair.value === null && key.includes(':')) {
      this.#refuse(pair.key, `after the colon of "${printableKey(key)}" a space is missing`);
      return undefined;
    }
    return key;
  }

  #mark(node: unknown, path: Path): void {
    const key = pathKey(path);
    if (!this.places.has(key)) this.places.set(key, this.#placeOfNode(node));
  }

  #placeOfNode(node: unknown): Place {
    const known = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
    const offset: unknown = Array.isArray(known) ? known[0] : undefined;
    return this.#placeAt(typeof offset === 'number' ? offset : 0);
  }

  #refuse(node: unknown, message: string): void {
    this.problems.push({ ...this.#placeOfNode(node), message });
  }

  #refuseOnce(node: unknown, message: string): undefined {
    if (!this.problems.some((problem) => problem.message === message)) this.#refuse(node, message);
    return undefined;
  }
}

function isMergeKey(pair: Pair): boolean {
  return isScalar(pair.key) && pair.key.type === 'PLAIN' && pair.key.source === '<<';
}
