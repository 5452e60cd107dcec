import type { EmbedContext } from '../providers/chat.ts';
import { toKeepAlive } from '../providers/ollama/keep-alive.ts';
import { keepAliveSeconds } from '../shared/keep-alive.ts';

import type { OllamaServing } from './chat-writer.ts';
import { EMBEDS_AT_ONCE } from './embedder.ts';
import type { OllamaTarget } from './fleet/hosts.ts';
import { effectiveOptions } from './prepare.ts';
import type { ServedOptions } from './prepare.ts';
import { runnerOptionsOf } from './queue/runner-options.ts';
import { takeSeat } from './queue/seat.ts';

/** What is to happen to a model that is asked nothing: a `keep_alive` of no time ends its runner. */
export type RunnerChange = { readonly keepAlive?: number | string };

/** What has happened to the runner, and what of the request was of no effect. */
export type RunnerChanged = { readonly to: 'load' | 'unload'; readonly ignored: readonly string[] };

/** Loads or unloads the model of a deployment. */
export type OllamaLoader = (
  change: RunnerChange,
  signal: AbortSignal,
  context?: EmbedContext,
) => Promise<RunnerChanged>;

/**
 * Creates the function that makes a loader of each deployment. Loading is with the options that every
 * request for the model has, so that the first one finds it as it wants it.
 */
export function createOllamaLoader(serving: OllamaServing): (target: OllamaTarget) => OllamaLoader {
  return (target) =>
    async (change, signal, context = {}) => {
      const model = await serving.hosts.describe(target, signal, context.clocks);
      const served = effectiveOptions(
        target,
        { model, profiles: serving.profiles },
        { options: {}, ...change },
      );
      const { ignored } = served;
      if (served.keepAlive !== undefined && keepAliveSeconds(served.keepAlive) === 0) {
        await unload(serving, target, signal);
        return { to: 'unload', ignored };
      }
      const parallel = model?.embedding === true && !model.chat ? { parallel: EMBEDS_AT_ONCE } : {};
      await load({ serving, target, signal, context, ...parallel }, served);
      return { to: 'load', ignored };
    };
}

/** A model that whoever administers a host wants there. */
export type WantedModel = {
  readonly url: string;
  readonly model: string;
  /** Absent: as requests keep it. */
  readonly keepAlive?: number | string;
};

/**
 * Loads a model for whoever administers its host, who is not held to what requests may say.
 * @throws ObeliskError `forbidden` for a model that may not be asked, `upstream_*`, `client_gone`.
 */
export async function loadWanted(
  serving: OllamaServing,
  { url, model, keepAlive }: WantedModel,
  signal: AbortSignal,
): Promise<void> {
  const defaults = keepAlive === undefined ? {} : { keep_alive: toKeepAlive(keepAlive) };
  await createOllamaLoader(serving)({ baseUrl: url, model, defaults })({}, signal);
}

async function unload(
  { hosts, seats }: OllamaServing,
  { baseUrl, model }: OllamaTarget,
  signal: AbortSignal,
): Promise<void> {
  await hosts.client(baseUrl).unload(model, signal);
  seats.books.book(baseUrl, model).noteUnloaded();
}

type Loading = {
  readonly serving: OllamaServing;
  readonly target: OllamaTarget;
  readonly signal: AbortSignal;
  readonly context: EmbedContext;
  /** Where it is not what the host is configured for. */
  readonly parallel?: number;
};

async function load(
  { serving, target, signal, ...turn }: Loading,
  { options, keepAlive }: ServedOptions,
): Promise<void> {
  const { baseUrl: url, model } = target;
  const { seats } = serving;
  const seat = await takeSeat(seats, { url, model, signal, ...turn });
  try {
    const { warmth } = seat.begin(runnerOptionsOf(options));
    const startedMs = seats.books.nowMs();
    const body = { model, options, ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }) };
    const client = serving.hosts.client(url);
    await seat.answer((clocks) => client.load(body, signal, clocks));
    const totalMs = seats.books.nowMs() - startedMs;
    const timing = { totalMs, loadMs: warmth === 'warm' ? 0 : totalMs, promptMs: 0, generationMs: 0 };
    seat.end({ usage: { promptTokens: 0, completionTokens: 0 }, timing, unloads: false });
  } finally {
    seat.leave();
  }
}
