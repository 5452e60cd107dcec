import { messageOf } from '../../shared/errors.ts';
import type { PreloadSettings } from '../../shared/ollama-hosts.ts';
import type { Logger } from '../../telemetry/log.ts';

import type { FleetHost } from './fleet-host.ts';
import type { OllamaFleet } from './fleet.ts';
import { nextTime } from './preload-time.ts';

/** What a preloader is made of. */
export type PreloaderOptions = {
  readonly entries: readonly PreloadSettings[];
  readonly fleet: OllamaFleet;
  /** Loads a model on a host with the options that its requests have. */
  readonly load: (host: FleetHost, entry: PreloadSettings, signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
  readonly now: () => Date;
};

/** Loads models ahead, at their times. */
export type Preloader = { start(): void; stop(): Promise<void> };

/** A machine that slept looks at the clock again after this long. */
const LONGEST_TIMER_MS = 30_000;
/** A time that was slept through is not made up for after this long. */
const LATEST_MS = 3_600_000;

/** Creates a preloader; its timers do not keep the process alive. */
export function createPreloader(options: PreloaderOptions): Preloader {
  return new AheadOfRequests(options);
}

class AheadOfRequests implements Preloader {
  readonly #options: PreloaderOptions;
  readonly #stopping = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** What each host has been asked to load since it came. */
  readonly #asked = new Map<FleetHost, Set<PreloadSettings>>();
  /** Loads of a host follow each other: Ollama does one at a time. */
  readonly #lines = new Map<FleetHost, Promise<void>>();
  #undo: (() => void) | undefined;

  constructor(options: PreloaderOptions) {
    this.#options = options;
  }

  start(): void {
    const { entries, fleet, now } = this.#options;
    for (const entry of entries) {
      if (entry.at !== undefined) this.#await(entry, entry.at, nextTime({ ...entry, at: entry.at }, now()));
    }
    if (entries.every(({ at }) => at !== undefined)) return;
    this.#undo = fleet.onChange(() => this.#lookAround());
    this.#lookAround();
  }

  async stop(): Promise<void> {
    this.#undo?.();
    this.#stopping.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#lines.values());
  }

  /** Whoever has come, or come back, loads what it has to have. */
  #lookAround(): void {
    for (const host of this.#options.fleet.hosts) {
      if (host.discovery.state().kind !== 'up') {
        this.#asked.delete(host);
        continue;
      }
      const asked = this.#asked.get(host) ?? new Set();
      this.#asked.set(host, asked);
      for (const entry of this.#options.entries) {
        if (entry.at !== undefined || asked.has(entry) || !this.#isFor(host, entry)) continue;
        asked.add(entry);
        this.#enqueue(host, entry);
      }
    }
  }

  #await(entry: PreloadSettings, at: string, due: Date): void {
    const leftMs = due.getTime() - this.#options.now().getTime();
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        const nowMs = this.#options.now().getTime();
        if (nowMs < due.getTime()) return this.#await(entry, at, due);
        if (nowMs - due.getTime() < LATEST_MS) {
          for (const host of this.#options.fleet.hosts) {
            if (this.#isFor(host, entry)) this.#enqueue(host, entry);
          }
        }
        this.#await(entry, at, nextTime({ ...entry, at }, new Date(nowMs)));
      },
      Math.max(1, Math.min(leftMs, LONGEST_TIMER_MS)),
    );
    timer.unref();
    this.#timers.add(timer);
  }

  #isFor(host: FleetHost, { model, hosts }: PreloadSettings): boolean {
    const { name, tags, drain, discovery } = host;
    const isNamed = hosts === undefined || hosts.includes(name) || tags.some((tag) => hosts.includes(tag));
    const isThere = discovery.model(model) !== undefined && !drain.draining;
    return isNamed && isThere && this.#options.fleet.mayServe(host, model);
  }

  #enqueue(host: FleetHost, entry: PreloadSettings): void {
    const before = this.#lines.get(host) ?? Promise.resolve();
    this.#lines.set(
      host,
      before.then(() => this.#load(host, entry)),
    );
  }

  async #load(host: FleetHost, entry: PreloadSettings): Promise<void> {
    const { load, logger } = this.#options;
    const { signal } = this.#stopping;
    const about = { host: host.name, model: entry.model };
    if (signal.aborted) return;
    try {
      await load(host, entry, signal);
      logger.info('a model was loaded ahead', about);
    } catch (error) {
      if (!signal.aborted) {
        logger.warn('a model could not be loaded ahead', { ...about, reason: messageOf(error) });
      }
    }
  }
}
