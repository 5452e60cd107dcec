import { configError } from './config-problem.ts';
import type { ConfigProblem } from './config-problem.ts';
import { DEPLOYMENT_KEYS, hasEffect } from './litellm-keys.ts';
import { retype, substitute } from './substitute.ts';
import type { Environment } from './substitute.ts';
import type { Path, YamlTree } from './yaml-tree.ts';

/**
 * Puts variables into every text of a file that has an effect. What has none may name variables
 * that this machine does not have. `environment_variables` of the file are looked up first, as
 * LiteLLM does.
 * @throws ObeliskError `config_invalid` naming each unset variable with file and line.
 */
export function substituteTree(file: string, tree: YamlTree, environment: Environment): unknown {
  const problems: ConfigProblem[] = [];
  const own = ownVariables(tree, environment);
  const value = replaceIn(tree.value, [], { tree, environment: { ...environment, ...own }, problems });
  if (problems.length > 0) throw configError(file, problems);
  return value;
}

type Replacing = {
  readonly tree: YamlTree;
  readonly environment: Environment;
  readonly problems: ConfigProblem[];
};

/** Problems in this section are reported by the pass over the whole file. */
function ownVariables(tree: YamlTree, environment: Environment): Readonly<Record<string, string>> {
  const root = tree.value;
  if (!isRecord(root) || !isRecord(root['environment_variables'])) return {};
  const path = ['environment_variables'];
  const replaced = replaceIn(root['environment_variables'], path, { tree, environment, problems: [] });
  return Object.fromEntries(
    Object.entries(isRecord(replaced) ? replaced : {})
      .filter(([, value]) => isScalar(value))
      .map(([name, value]) => [name, String(value)]),
  );
}

/** Lists and mappings are no variables; the schema refuses them. */
function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function replaceIn(value: unknown, path: Path, replacing: Replacing): unknown {
  if (!hasEffect(path)) return value;
  if (typeof value === 'string') return replaceText(value, path, replacing);
  if (Array.isArray(value)) {
    return value.map((child: unknown, index) => replaceIn(child, [...path, index], replacing));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, replaceIn(child, [...path, key], replacing)]),
  );
}

function replaceText(text: string, path: Path, { tree, environment, problems }: Replacing): unknown {
  const result = substitute(text, environment);
  if (result.kind === 'same') return text;
  if (result.kind === 'failed') {
    problems.push({ ...tree.placeOf(path), message: result.message });
    return text;
  }
  return isFreeParameter(path) && tree.isPlain(path) ? retype(result.text) : result.text;
}

/** Parameters sent to a model have no schema here, so an unquoted `${TEMPERATURE}` must become a number. */
function isFreeParameter(path: Path): boolean {
  return (
    path[0] === 'model_list' && path[2] === 'litellm_params' && !DEPLOYMENT_KEYS.includes(String(path[3]))
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
