import { isObeliskError } from '../../shared/errors.ts';
import { ollamaModelKey } from '../../shared/ollama-model-name.ts';
import type { Logger } from '../../telemetry/log.ts';

import type { OllamaShow, OllamaTag } from '../api/api-types.ts';
import type { OllamaClient } from '../api/client.ts';
import { isHostAway } from '../api/client.ts';
import { toOllamaModel } from './model-facts.ts';
import type { OllamaModel } from './model-facts.ts';

/** `/api/show` reads the model's file: not more than this many at once. */
const CONCURRENT_SHOWS = 2;

/** Describes the listed models, by the key of their name, the one changed last first. */
export type ModelDescriber = (
  tags: readonly OllamaTag[],
  signal: AbortSignal,
) => Promise<ReadonlyMap<string, OllamaModel>>;

/**
 * Creates a describer that asks `/api/show` once per digest and forgets what is no longer listed.
 * A model whose description fails is described by its list entry alone and asked for again next time.
 */
export function createModelDescriber(options: {
  readonly client: OllamaClient;
  readonly logger: Logger;
}): ModelDescriber {
  let known = new Map<string, OllamaShow>();
  return async (tags, signal) => {
    const shows = new Map<string, OllamaShow>();
    const missing = tags.filter((tag) => {
      const show = known.get(cacheKey(tag));
      if (show) shows.set(cacheKey(tag), show);
      return show === undefined;
    });
    const queue = missing.values();
    const worker = async (): Promise<void> => {
      for (const tag of queue) {
        const show = await describe(tag, { ...options, signal });
        if (show) shows.set(cacheKey(tag), show);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_SHOWS }, worker));
    known = shows;
    const models = tags.map((tag) => toOllamaModel(tag, shows.get(cacheKey(tag)))).sort(latestFirst);
    return new Map(models.map((model) => [ollamaModelKey(model.name), model]));
  };
}

/** Ollama's own order, which it leaves to chance where two models are of the same second. */
function latestFirst(a: OllamaModel, b: OllamaModel): number {
  return b.modifiedMs - a.modifiedMs || (a.name < b.name ? -1 : 1);
}

/** A server too old for digests may replace a model under its name, which changes the time. */
function cacheKey(tag: OllamaTag): string {
  return tag.digest ?? `${tag.name} ${tag.modified_at ?? ''}`;
}

async function describe(
  tag: OllamaTag,
  options: { readonly client: OllamaClient; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<OllamaShow | undefined> {
  try {
    return await options.client.show(tag.name, options.signal);
  } catch (error) {
    if (!isObeliskError(error) || isHostAway(error) || options.signal.aborted) throw error;
    options.logger.debug('a model of Ollama could not be described', {
      model: tag.name,
      reason: error.message,
    });
    return undefined;
  }
}
