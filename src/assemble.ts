import { setTimeout as sleep } from 'node:timers/promises';
import { pinSettings } from './config/pin-settings.ts';
import type { LoadedConfig, Settings } from './config/settings.ts';
import { createLasting } from './lasting.ts';
import type { Lasting } from './lasting.ts';
import { createServing } from './serving.ts';
import type { Serving } from './serving.ts';
import { messageOf } from './shared/errors.ts';
import type { ObeliskError } from './shared/errors.ts';
import { isPlaceholder } from './shared/secret.ts';
import type { Secret } from './shared/secret.ts';
import type { BatchedLogger } from './telemetry/logger.ts';
import type { Handler } from './wire/http.ts';

/**
 * The whole program, wired: what lasts as long as the process, and what its configuration builds,
 * which a reload replaces.
 */
export type House = {
  readonly lasting: Lasting;
  /** What the configuration in force has built. Hold it for one request at most. */
  serving(): Serving;
  /** The configuration in force. */
  config(): LoadedConfig;
  /** Serves every request, from a socket or from inside, as the configuration in force says. */
  readonly handler: Handler;
  /** A key for this machine's own command line. */
  localToken(): Secret;
  /**
   * Puts another configuration in force: requests that come from then on are answered by it, those
   * under way end with the one they began with.
   * @returns names of the settings that cannot change while the process runs, and were asked to.
   * @throws ObeliskError for what would not be safe; the old configuration stays.
   */
  reload(config: LoadedConfig): Promise<readonly string[]>;
  /** Ends every request under way with an error in its own dialect. */
  endCalls(error: ObeliskError): void;
  close(): Promise<void>;
};

/** What a house is built from. */
export type HouseOptions = {
  readonly config: LoadedConfig;
  readonly logger: BatchedLogger;
  /** Whether the vaults are followed as they change. */
  readonly watch: boolean;
};

/** Longest that a new configuration waits for the first look at its hosts of models. */
const LOOK_MS = 3_000;

/**
 * Builds the object graph by hand and starts what runs by itself: the look for models and the
 * indexing of the vaults. Nothing listens yet.
 */
export function assemble(options: HouseOptions): House {
  return new ReloadingHouse(options);
}

class ReloadingHouse implements House {
  readonly lasting: Lasting;
  readonly handler: Handler = (request, response) => this.#serving.handler(request, response);
  #config: LoadedConfig;
  #serving: Serving;
  /** The one in force, and those that still answer requests. */
  readonly #living = new Set<Serving>();
  #reloading: Promise<unknown> = Promise.resolve();

  constructor({ config, logger, watch }: HouseOptions) {
    const { settings } = config;
    this.lasting = createLasting({ settings, logger, watch, current: () => this.#serving });
    this.#config = config;
    this.#serving = createServing({ settings, lasting: this.lasting });
    this.#living.add(this.#serving);
  }

  serving(): Serving {
    return this.#serving;
  }

  config(): LoadedConfig {
    return this.#config;
  }

  localToken(): Secret {
    return this.lasting.localToken;
  }

  /** One at a time, in the order of the calls. */
  reload(config: LoadedConfig): Promise<readonly string[]> {
    const reloaded = this.#reloading.then(() => this.#reload(config));
    // Whoever called hears what is wrong with it; the next one is not held up by that.
    this.#reloading = reloaded.catch(() => undefined);
    return reloaded;
  }

  endCalls(error: ObeliskError): void {
    for (const serving of this.#living) serving.calls.endAll(error);
  }

  async close(): Promise<void> {
    const { shelf, upstream, seen, logger, jobs } = this.lasting;
    await jobs.close();
    await Promise.all([...this.#living].map((serving) => serving.hosts.stop()));
    await Promise.all([shelf.close(), seen.written()]);
    await upstream.close();
    logger.flush();
  }

  async #reload(config: LoadedConfig): Promise<readonly string[]> {
    const { logger } = this.lasting;
    const previous = this.#serving;
    const { settings, pinned } = pinSettings(config, previous.settings);
    logger.addSecrets(secretsOf(settings));
    const next = createServing({ settings, lasting: this.lasting, previous });
    this.#living.add(next);
    // Until its hosts were looked at it would know none of their models.
    await Promise.race([next.looked, sleep(LOOK_MS, undefined, { ref: false })]);
    this.#config = { ...config, settings };
    this.#serving = next;
    logger.setLevel(settings.log.level);
    void this.#retire(previous, next);
    return pinned;
  }

  async #retire(old: Serving, heir: Serving): Promise<void> {
    try {
      await old.retire(heir);
    } catch (error) {
      this.lasting.logger.error('an old configuration did not end well', { error: messageOf(error) });
    } finally {
      this.#living.delete(old);
    }
  }
}

/** Every secret that must not appear in a log line, even by mistake. */
export function secretsOf(settings: Settings): readonly Secret[] {
  const ofUpstreams = [
    ...settings.providers.ollama.hosts.map((host) => host.apiKey),
    settings.providers.litellm?.apiKey,
    ...settings.modelList.map((entry) => entry.apiKey),
  ].filter((key) => key !== undefined);
  // A key that opens this server is one however short it is.
  return [
    ...(settings.masterKey === undefined ? [] : [settings.masterKey]),
    ...settings.inferenceKeys,
    ...ofUpstreams.filter((key) => !isPlaceholder(key)),
  ];
}
