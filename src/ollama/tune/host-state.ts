import type { OllamaClient } from '../api/client.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';

/** What a host has loaded at one moment. */
export type HostState = {
  readonly loaded: readonly {
    readonly model: string;
    /** Milliseconds since the epoch. */
    readonly expiresMs: number;
    readonly contextLength?: number;
  }[];
};

/** Ollama writes for ever as a date three centuries ahead. */
const FOR_EVER_MS = Date.UTC(2200, 0, 1);

/** Notes what a host has loaded, and until when. */
export async function rememberHost(client: OllamaClient, signal?: AbortSignal): Promise<HostState> {
  const running = await client.ps(signal);
  return {
    loaded: running.map(({ name, expires_at: expiresAt, context_length: contextLength }) => ({
      model: name,
      expiresMs: Date.parse(expiresAt ?? '') || 0,
      ...(contextLength === undefined ? {} : { contextLength }),
    })),
  };
}

/** What restoring takes. */
export type Restoring = {
  readonly client: OllamaClient;
  /** The model that was loaded again and again; another one is touched only where it had to make room. */
  readonly model: string;
  readonly before: HostState;
  /** What the gateway loads a model with. */
  readonly optionsOf: (model: string) => Promise<RunnerOptions>;
  readonly nowMs: () => number;
};

/**
 * Brings back what was loaded before, for the time that it had left: the model itself is loaded with
 * what its requests carry now, or unloaded where it was not there; what was evicted comes back.
 */
export async function restoreHost(restoring: Restoring, signal: AbortSignal): Promise<void> {
  const { client, model, before, nowMs } = restoring;
  const there = new Set((await client.ps(signal)).map(({ name }) => name));
  const alive = before.loaded.filter(({ expiresMs }) => expiresMs > nowMs());
  if (there.has(model) && !alive.some((one) => one.model === model)) await client.unload(model, signal);
  // The longest-lived last: where memory is short, it is the one that stays.
  for (const one of alive.toSorted((a, b) => a.expiresMs - b.expiresMs)) {
    if (one.model !== model && there.has(one.model)) continue;
    const options = await loadedOptions(one, restoring);
    await client.load({ model: one.model, options, keep_alive: secondsLeft(one.expiresMs, nowMs()) }, signal);
  }
}

/** A model in another context window than the gateway's was loaded by someone else: the rest is Ollama's choice. */
async function loadedOptions(
  { model, contextLength }: HostState['loaded'][number],
  { optionsOf }: Restoring,
): Promise<RunnerOptions> {
  const options = await optionsOf(model);
  const numCtx = options['num_ctx'];
  if (contextLength === undefined || numCtx === undefined || contextLength === numCtx) return options;
  return { num_ctx: contextLength };
}

function secondsLeft(expiresMs: number, nowMs: number): number {
  return expiresMs > FOR_EVER_MS ? -1 : Math.max(1, Math.ceil((expiresMs - nowMs) / 1_000));
}
