import { ollamaModelKey } from '../../shared/ollama-model-name.ts';

import type { OllamaRunning } from './api-types.ts';

/**
 * Finds the runner of a model. Names of one model share a runner, which Ollama lists under the name that
 * it was loaded by; `digest` is that of the model, empty or absent where nothing is known of it.
 */
export function runnerOf(
  model: string,
  running: readonly OllamaRunning[],
  digest?: string,
): OllamaRunning | undefined {
  const key = ollamaModelKey(model);
  const named = running.find(({ name }) => ollamaModelKey(name) === key);
  if (named !== undefined || digest === undefined || digest === '') return named;
  return running.find((one) => one.digest === digest);
}
