import type { OllamaHostSettings } from '../../shared/ollama-hosts.ts';
import { ollamaModelKey } from '../../shared/ollama-model-name.ts';

/** Whether a host may serve a model. */
export type PinRule = (host: Pick<OllamaHostSettings, 'name' | 'tags'>, model: string) => boolean;

/**
 * Makes the rule of who may serve a model: every host, where the model is pinned to none.
 *
 * @param pins Names or tags of hosts, by the name of the model.
 */
export function createPinRule(pins: Readonly<Record<string, readonly string[]>>): PinRule {
  const byModel = new Map(
    Object.entries(pins).map(([model, places]) => [ollamaModelKey(model), new Set(places)]),
  );
  return ({ name, tags }, model) => {
    const places = byModel.get(ollamaModelKey(model));
    return places === undefined || places.has(name) || tags.some((tag) => places.has(tag));
  };
}
