import { ObeliskError } from '../../shared/errors.ts';

/**
 * Ollama's options that may stand at the top level of an OpenAI body, as LiteLLM's clients write
 * them. Those that OpenAI has under the same name are not here.
 */
const OPTION_NAMES: ReadonlySet<string> = new Set([
  'num_ctx',
  'num_predict',
  'num_keep',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'num_thread',
  'use_mmap',
  'draft_num_predict',
  'top_k',
  'min_p',
  'typical_p',
  'repeat_last_n',
  'repeat_penalty',
]);

/** Collects Ollama's options from `options: {}` and the top level, which wins. */
export function ollamaOptions(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const options: Record<string, unknown> = {};
  const nested = body['options'];
  if (nested !== undefined && nested !== null) {
    for (const [name, value] of Object.entries(nested))
      setScalar(options, `options.${name}`, { name, value });
  }
  for (const name of OPTION_NAMES) {
    if (Object.hasOwn(body, name)) setScalar(options, name, { name, value: body[name] });
  }
  return options;
}

type Option = { readonly name: string; readonly value: unknown };

function setScalar(options: Record<string, unknown>, param: string, { name, value }: Option): void {
  if (value === null || value === undefined || name === '__proto__') return;
  const scalar = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string';
  const list = Array.isArray(value) && value.every((item) => typeof item === 'string');
  if (!scalar && !list) {
    throw new ObeliskError('invalid_request', `${param}: expected a number, a boolean or text`, { param });
  }
  options[name] = value;
}
