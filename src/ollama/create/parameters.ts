import { ObeliskError } from '../../shared/errors.ts';
import { REFUSED_OPTIONS } from '../../shared/ollama-options.ts';
import { OLLAMA_OPTIONS, requireOllamaOption } from '../../providers/ollama/options.ts';

/** Parameters of a model, with what was left out of them and why. */
export type ModelParameters = {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
};

const TRUE = /^(?:1|t|T|true|TRUE|True)$/;
const FALSE = /^(?:0|f|F|false|FALSE|False)$/;
const WHOLE = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Reads the PARAMETER lines of a Modelfile: each value as its option wants it, `stop` gathered in a
 * list. What Ollama no longer has is left out with a warning, as its own client does.
 * @throws ObeliskError `invalid_request` for a name that Ollama never had, and a value of another kind.
 */
export function parseParameters(
  lines: readonly { readonly name: string; readonly value: string; readonly line: number }[],
): ModelParameters {
  const parameters: Record<string, unknown> = {};
  const warnings: string[] = [];
  for (const { name, value, line } of lines) {
    const refusal = ownOf(REFUSED_OPTIONS, name);
    if (refusal !== undefined) {
      warnings.push(`line ${line} of the Modelfile: ${name} is left out: ${refusal}`);
      continue;
    }
    const parsed = parseValue(name, value);
    if (parsed === undefined) {
      const what = OLLAMA_OPTIONS.has(name) ? `${name} cannot be ${JSON.stringify(value)}` : unknownOf(name);
      throw new ObeliskError('invalid_request', `line ${line} of the Modelfile: ${what}`, { param: name });
    }
    const before = parameters[name];
    parameters[name] = Array.isArray(before) ? [...before, ...[parsed].flat()] : parsed;
  }
  return { parameters, warnings };
}

/**
 * Checks parameters that are given as values, because Ollama takes any and fails where it uses them.
 * @throws ObeliskError `invalid_request`.
 */
export function requireParameters(parameters: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    const refusal = ownOf(REFUSED_OPTIONS, name);
    const what = refusal === undefined ? unknownOf(name) : `${name} cannot be set: ${refusal}`;
    if (!OLLAMA_OPTIONS.has(name)) throw new ObeliskError('invalid_request', what, { param: name });
    requireOllamaOption(name, value);
  }
}

/** The value as its option wants it; undefined where it is no such value. */
function parseValue(name: string, value: string): unknown {
  switch (OLLAMA_OPTIONS.get(name)?.type) {
    case 'integer':
      return WHOLE.test(value) ? Number(value) : undefined;
    case 'number':
      return DECIMAL.test(value) && Number.isFinite(Number(value)) ? Number(value) : undefined;
    case 'boolean':
      return TRUE.test(value) ? true : FALSE.test(value) ? false : undefined;
    case 'strings':
      return [value];
    default:
      return undefined;
  }
}

function unknownOf(name: string): string {
  return `there is no parameter ${JSON.stringify(name.slice(0, 40))}; those that are: ${[...OLLAMA_OPTIONS.keys()].sort().join(', ')}`;
}

function ownOf(table: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
