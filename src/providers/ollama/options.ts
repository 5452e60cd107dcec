import { ObeliskError } from '../../shared/errors.ts';
import { RUNNER_OPTIONS, SAMPLING_OPTIONS } from '../../shared/ollama-options.ts';

/** What an option of Ollama's does: `runner` options reload the model when they differ. */
export type OllamaOptionKind = 'runner' | 'sampling';
type OptionType = 'integer' | 'number' | 'boolean' | 'strings';
type OptionRule = {
  readonly kind: OllamaOptionKind;
  readonly type: OptionType;
  /** Least value with a meaning, where a lesser one would fail as something else. */
  readonly minimum?: number;
};

/** Every option that Ollama reads from `options` (its `api.Options` and `api.Runner`). */
export const OLLAMA_OPTIONS: ReadonlyMap<string, OptionRule> = new Map([
  ...Object.entries(RUNNER_OPTIONS).map(([name, { kind, minimum }]): [string, OptionRule] => [
    name,
    {
      kind: 'runner',
      type: kind === 'whole' ? 'integer' : kind,
      ...(minimum === undefined ? {} : { minimum }),
    },
  ]),
  ...Object.entries(SAMPLING_OPTIONS).map(([name, type]): [string, OptionRule] => [
    name,
    { kind: 'sampling', type },
  ]),
]);

/**
 * Checks one option, because Ollama answers a wrong type with 500 and a wrong number with something else.
 * @throws ObeliskError `invalid_request` naming the option.
 */
export function requireOllamaOption(name: string, value: unknown): void {
  const rule = OLLAMA_OPTIONS.get(name);
  if (rule === undefined) return;
  const { type, minimum } = rule;
  const isEnough = minimum === undefined || Number(value) >= minimum;
  if (isOfType(type, value) && isEnough) return;
  const kind =
    type === 'strings' ? 'a text or a list of texts' : type === 'integer' ? 'an integer' : `a ${type}`;
  const wanted = minimum === undefined ? kind : `${kind} of at least ${minimum}`;
  throw new ObeliskError('invalid_request', `option ${name} must be ${wanted}`, { param: name });
}

function isOfType(type: OptionType, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'number') return Number.isFinite(value);
  if (type === 'boolean') return typeof value === 'boolean';
  return (
    typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string'))
  );
}
