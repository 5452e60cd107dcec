import type { ChatRequest } from '../../chat.ts';
import { requireOllamaOption } from '../options.ts';

type Sampling = Pick<
  ChatRequest,
  'maxTokens' | 'temperature' | 'topP' | 'seed' | 'stop' | 'presencePenalty' | 'frequencyPenalty' | 'options'
>;

const NAMES = {
  temperature: 'temperature',
  top_p: 'topP',
  seed: 'seed',
  presence_penalty: 'presencePenalty',
  frequency_penalty: 'frequencyPenalty',
} as const;

/**
 * Reads `options`: what other dialects have too gets its own field, the rest stays under Ollama's names.
 * @throws ObeliskError `invalid_request` for an option of the wrong type.
 */
export function fromDoorOptions(given: Readonly<Record<string, unknown>> | null | undefined): Sampling {
  const options: Record<string, unknown> = {};
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === undefined || value === null || name === '__proto__') continue;
    requireOllamaOption(name, value);
    if (isCommon(name)) fields[NAMES[name]] = value;
    else if (name === 'stop') fields['stop'] = typeof value === 'string' ? [value] : value;
    // Ollama's -1 and -2 mean no limit and the whole window, which only Ollama has words for.
    else if (name === 'num_predict' && Number(value) > 0) fields['maxTokens'] = value;
    else options[name] = value;
  }
  // Each value was checked against the type of its option.
  return { ...(fields as Omit<Sampling, 'options'>), options };
}

function isCommon(name: string): name is keyof typeof NAMES {
  return Object.hasOwn(NAMES, name);
}
