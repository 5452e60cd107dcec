import { ollamaModelKey } from '../shared/ollama-model-name.ts';
import { RUNNER_OPTIONS } from '../shared/ollama-options.ts';
import type { ModelEntry } from './settings.ts';

const OLLAMA_MODEL = /^ollama(?:_chat)?\/(.+)$/;

/**
 * Says where two entries of `model_list` load one model of Ollama with other options: requests for
 * them that alternate would load it anew each time.
 */
export function reloadNotices(entries: readonly ModelEntry[]): readonly string[] {
  const first = new Map<string, ModelEntry>();
  return entries.flatMap((entry) => {
    const name = OLLAMA_MODEL.exec(entry.model)?.[1];
    if (name === undefined) return [];
    const key = `${entry.apiBase ?? ''} ${ollamaModelKey(name)}`;
    const other = first.get(key);
    if (other === undefined) {
      first.set(key, entry);
      return [];
    }
    const differing = Object.keys(RUNNER_OPTIONS).filter(
      (option) => entry.params[option] !== other.params[option],
    );
    if (differing.length === 0) return [];
    return [
      `${placeOf(other)} and ${placeOf(entry)} load ${name} with another ${differing.join(', ')}: requests that alternate between them load it anew each time. Give both the same, or set it in providers.ollama.model_overrides`,
    ];
  });
}

function placeOf({ modelName, line }: ModelEntry): string {
  return line === undefined ? `"${modelName}"` : `"${modelName}" (line ${line})`;
}
