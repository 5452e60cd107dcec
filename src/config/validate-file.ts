import type { z } from 'zod';
import { editDistance, nearest } from '../shared/nearest.ts';
import type { ConfigFile } from './config-file.ts';
import { configError, printableKey } from './config-problem.ts';
import type { ConfigProblem } from './config-problem.ts';
import { fileSchema } from './file-schema.ts';
import { DEPLOYMENT_KEYS, SETTINGS_WITH_EFFECT } from './litellm-keys.ts';
import { refusalOf } from '../shared/ollama-options.ts';
import { knownKeysAt, placeOfKey, toSchemaTree } from './schema-tree.ts';
import type { Path, YamlTree } from './yaml-tree.ts';

type Issue = z.core.$ZodIssue;

/**
 * Checks a parsed file against the schema.
 * @throws ObeliskError `config_invalid` naming every problem with file, line, column and, for an
 *   unknown key, the nearest known one. Values are never quoted: they may be secrets.
 */
export function validateFile(file: string, tree: YamlTree, value: unknown): ConfigFile {
  const schema = fileSchema((path) => valueAt(value, path.split('.')) !== undefined);
  const result = schema.safeParse(value, { reportInput: false, jitless: true });
  const problems = [
    ...(result.success
      ? []
      : firstOfEach(result.error.issues).flatMap((issue) => problemsOf(issue, tree, value))),
    ...nearMisses(value, tree),
  ];
  if (problems.length > 0 || !result.success) throw configError(file, problems);
  return result.data;
}

/** One value can break several rules; the first one says enough. */
function firstOfEach(issues: readonly Issue[]): readonly Issue[] {
  const first = new Map<string, Issue>();
  for (const issue of issues) {
    const key = `${issue.code === 'unrecognized_keys'}:${issue.path.join('.')}`;
    if (!first.has(key)) first.set(key, issue);
  }
  return [...first.values()];
}

function problemsOf(issue: Issue, tree: YamlTree, root: unknown): readonly ConfigProblem[] {
  const path: Path = issue.path.map((part) => (typeof part === 'symbol' ? part.toString() : part));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...tree.placeOf([...path, key]),
      message: unknownKey(path, key),
    }));
  }
  const value = valueAt(root, path);
  const sentence = value === undefined ? 'is missing' : value === null ? EMPTY : sentenceOf(issue);
  return [{ ...tree.placeOf(path), message: `${dotted(path)} ${sentence}` }];
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce((value: unknown, part) => {
    if (Array.isArray(value)) return value[Number(part)] as unknown;
    return Object.hasOwn(recordOf(value), part) ? recordOf(value)[part] : undefined;
  }, root);
}

function unknownKey(path: Path, key: string): string {
  const name = dotted([...path, key]);
  const isHardware = path.at(-1) === 'hardware' || path.at(-2) === 'model_overrides';
  const refusal = isHardware ? refusalOf(key) : undefined;
  if (refusal !== undefined) return `${name} cannot be used: ${refusal}`;
  const tree = toSchemaTree(fileSchema(() => true));
  const known = knownKeysAt(tree, path);
  const closest = placeOfKey(tree, key) ?? nearest(key, known, 1)[0];
  const hint = closest === undefined ? `known here: ${known.join(', ')}` : `did you mean "${closest}"?`;
  return `unknown key ${name}; ${hint}`;
}

/**
 * Where any key may stand, one that is nearly a key with an effect is a typing error, and one that
 * matters: `master_kye` would leave the server open, `api_bsae` would send a key elsewhere.
 */
function nearMisses(value: unknown, tree: YamlTree): readonly ConfigProblem[] {
  const file = recordOf(value);
  const models = Array.isArray(file['model_list']) ? file['model_list'] : [];
  const places = [
    ...[...SETTINGS_WITH_EFFECT].map(([section, known]) => ({ path: [section], keys: file[section], known })),
    ...models.map((entry: unknown, index) => ({
      path: ['model_list', index, 'litellm_params'],
      keys: recordOf(entry)['litellm_params'],
      known: DEPLOYMENT_KEYS,
    })),
  ];
  return places.flatMap(({ path, keys, known }) =>
    Object.keys(recordOf(keys)).flatMap((key) => {
      const meant = meantKey(key, known);
      if (meant === undefined) return [];
      const message = `unknown key ${dotted([...path, key])}; did you mean "${meant}"?`;
      return [{ ...tree.placeOf([...path, key]), message }];
    }),
  );
}

function meantKey(key: string, known: readonly string[]): string | undefined {
  if (known.includes(key)) return undefined;
  if (key === 'base_url') return known.find((name) => name === 'api_base');
  return known.find((name) => {
    const limit = name.length >= 8 ? 2 : 1;
    return editDistance(key, name, limit) <= limit;
  });
}

function sentenceOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'too_small':
      return issue.origin === 'string' ? issue.message : `must be at least ${issue.minimum}`;
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    case 'custom':
      return issue.message;
    default:
      return 'has a value of the wrong kind';
  }
}

const EMPTY = 'is empty; write a value or remove the line';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text (quote it if it looks like a number)',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
  array: 'a list (lines that start with "- ")',
};

function dotted(path: Path): string {
  return path.length === 0 ? 'the file' : path.map((part) => printableKey(String(part))).join('.');
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
