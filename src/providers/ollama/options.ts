import { ObeliskError } from '../../shared/errors.ts';

/** What an option of Ollama's does: `runner` options reload the model when they differ. */
export type OllamaOptionKind = 'runner' | 'sampling';
type OptionType = 'integer' | 'number' | 'boolean' | 'strings';
type OptionRule = {
  readonly kind: OllamaOptionKind;
  readonly type: OptionType;
  /** Least value with a meaning, where a lesser one would fail as something else. */
  readonly minimum?: number;
};

const runner = (type: OptionType): OptionRule => ({ kind: 'runner', type });
const sampling = (type: OptionType): OptionRule => ({ kind: 'sampling', type });

/** Every option that Ollama reads from `options` (its `api.Options` and `api.Runner`). */
export const OLLAMA_OPTIONS: ReadonlyMap<string, OptionRule> = new Map([
  // Ollama itself raises a smaller window to 4, and then says that no prompt fits.
  ['num_ctx', { ...runner('integer'), minimum: 4 }],
  ['num_batch', { ...runner('integer'), minimum: 1 }],
  ['num_gpu', runner('integer')],
  ['main_gpu', runner('integer')],
  ['use_mmap', runner('boolean')],
  ['num_thread', runner('integer')],
  ['draft_num_predict', runner('integer')],
  ['num_keep', sampling('integer')],
  ['seed', sampling('integer')],
  ['num_predict', sampling('integer')],
  ['top_k', sampling('integer')],
  ['top_p', sampling('number')],
  ['min_p', sampling('number')],
  ['typical_p', sampling('number')],
  ['repeat_last_n', sampling('integer')],
  ['temperature', sampling('number')],
  ['repeat_penalty', sampling('number')],
  ['presence_penalty', sampling('number')],
  ['frequency_penalty', sampling('number')],
  ['stop', sampling('strings')],
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
