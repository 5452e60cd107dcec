import { isObeliskError, messageOf, ObeliskError } from '../../shared/errors.ts';
import { ollamaModelKey } from '../../shared/ollama-model-name.ts';
import { hasSameMembers } from '../../shared/same-members.ts';
import type { Logger } from '../../telemetry/log.ts';

import type { OllamaRunning, OllamaTag } from '../api/api-types.ts';
import type { OllamaClient } from '../api/client.ts';
import { isHostAway } from '../api/client.ts';
import { createModelDescriber } from './model-describer.ts';
import type { OllamaModel } from './model-facts.ts';
import { createPoller } from './poller.ts';
import type { Poller } from './poller.ts';
import type { FoundOnHost } from '../queue/host-books.ts';

/** How the host of the models is at this moment. */
export type OllamaState =
  /** Not looked yet. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'up'; readonly version: string }
  /** Nothing answers there. */
  | { readonly kind: 'away'; readonly reason: string }
  /** Something answers there that is not Ollama, or is Obelisk itself. */
  | { readonly kind: 'wrong'; readonly reason: string };

/** The models of one Ollama host, kept up to date in memory. */
export type OllamaDiscovery = {
  /** Looks once and goes on looking; resolves after the first look, whatever it found. */
  start(): Promise<void>;
  /** Stops looking and cancels a look that is under way. */
  stop(): Promise<void>;
  /** Looks now; a look that is already under way is shared. Never rejects. */
  refresh(): Promise<void>;
  /** Looks after what has just been changed: a look that was under way is not shared. Never rejects. */
  lookAgain(): Promise<void>;
  state(): OllamaState;
  /** The models that can be asked for now; none while the host is away. */
  models(): readonly OllamaModel[];
  /** Finds a model by any spelling of its name (`llama3`, `llama3:latest`). */
  model(name: string): OllamaModel | undefined;
  /** Whether the host had a model of that name when it was last there. */
  wasSeen(name: string): boolean;
  /** The loaded models, as of the last look. */
  running(): readonly OllamaRunning[];
  /** Calls `listener` after the models or the state changed. Returns an undo. */
  onChange(listener: () => void): () => void;
};

/** What a discovery is made of. */
export type OllamaDiscoveryOptions = {
  readonly client: OllamaClient;
  /** Milliseconds between two looks while the host is there. */
  readonly pollMs: number;
  readonly logger: Logger;
  /** Names seen by an earlier process, so that a request for one is told that the host is away. */
  readonly seen?: readonly string[];
  /** Gets the names that the host has when they changed, for keeping. */
  readonly onSeen?: (names: readonly string[]) => void;
  /** Called when a look begins; what it gives takes what was found, or nothing where the host is away. */
  readonly onLook?: () => (found: FoundOnHost | undefined) => void;
};

/** A host under load may be late for a look or two; models do not leave the list for that. */
const TIMEOUTS_UNTIL_AWAY = 3;

/** Creates a discovery; nothing is sent before `start` or `refresh`. */
export function createOllamaDiscovery(options: OllamaDiscoveryOptions): OllamaDiscovery {
  return new Discovery(options);
}

class Discovery implements OllamaDiscovery {
  readonly #url: string;
  readonly #options: OllamaDiscoveryOptions;
  readonly #describe: ReturnType<typeof createModelDescriber>;
  readonly #listeners = new Set<() => void>();
  /** Keys of the names that the host had when it was last there. */
  #seen: ReadonlySet<string>;
  #models: ReadonlyMap<string, OllamaModel> = new Map();
  #running: readonly OllamaRunning[] = [];
  #state: OllamaState = { kind: 'starting' };
  readonly #poller: Poller;
  #failures = 0;

  constructor(options: OllamaDiscoveryOptions) {
    this.#url = options.client.url;
    this.#options = options;
    this.#describe = createModelDescriber(options);
    this.#poller = createPoller({ pollMs: options.pollMs, look: (signal) => this.#look(signal) });
    this.#seen = new Set((options.seen ?? []).map(ollamaModelKey));
  }

  start(): Promise<void> {
    return this.#poller.start();
  }

  stop(): Promise<void> {
    return this.#poller.stop();
  }

  refresh(): Promise<void> {
    return this.#poller.refresh();
  }

  lookAgain(): Promise<void> {
    return this.#poller.lookAgain();
  }

  state(): OllamaState {
    return this.#state;
  }

  models(): readonly OllamaModel[] {
    return [...this.#models.values()];
  }

  model(name: string): OllamaModel | undefined {
    return this.#models.get(ollamaModelKey(name));
  }

  wasSeen(name: string): boolean {
    return this.#seen.has(ollamaModelKey(name));
  }

  running(): readonly OllamaRunning[] {
    return this.#running;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #look(signal: AbortSignal): Promise<boolean> {
    const found = this.#options.onLook?.();
    try {
      const [tags, running] = await Promise.all([
        this.#options.client.tags(signal),
        this.#lookRunning(signal),
      ]);
      const version = this.#state.kind === 'up' ? this.#state.version : await this.#lookVersion(signal);
      const models = await this.#describe(tags, signal);
      this.#failures = 0;
      this.#running = running;
      found?.({ models: models.values(), running });
      this.#remember(tags);
      this.#settle({ kind: 'up', version }, models);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      this.#failures += 1;
      if (this.#isHiccup(error)) return false;
      this.#running = [];
      found?.(undefined);
      this.#settle(stateOf(error, this.#url), new Map());
      return false;
    }
  }

  #isHiccup(error: unknown): boolean {
    if (this.#state.kind !== 'up' || this.#failures >= TIMEOUTS_UNTIL_AWAY) return false;
    return isObeliskError(error) && error.code === 'upstream_timeout';
  }

  /** What is loaded is only a hint: a server that cannot say so still serves. */
  async #lookRunning(signal: AbortSignal): Promise<readonly OllamaRunning[]> {
    try {
      return await this.#options.client.ps(signal);
    } catch (error) {
      if (!isObeliskError(error) || isHostAway(error)) throw error;
      this.#options.logger.debug('Ollama does not say which models are loaded', { reason: error.message });
      return [];
    }
  }

  async #lookVersion(signal: AbortSignal): Promise<string> {
    try {
      return await this.#options.client.version(signal);
    } catch (error) {
      if (!isObeliskError(error) || isHostAway(error)) throw error;
      return 'unknown';
    }
  }

  #settle(state: OllamaState, models: ReadonlyMap<string, OllamaModel>): void {
    const before = { state: this.#state, print: fingerprint(this.#models) };
    this.#state = state;
    this.#models = models;
    const stateChanged = before.state.kind !== state.kind;
    if (stateChanged) this.#report(state);
    if (!stateChanged && before.print === fingerprint(models)) return;
    if (!stateChanged) {
      this.#options.logger.info('the models of Ollama changed', { host: this.#url, models: models.size });
    }
    for (const listener of this.#listeners) listener();
  }

  #remember(tags: readonly OllamaTag[]): void {
    const before = this.#seen;
    this.#seen = new Set(tags.map((tag) => ollamaModelKey(tag.name)));
    if (!hasSameMembers(before, this.#seen)) this.#options.onSeen?.(tags.map((tag) => tag.name));
  }

  #report(state: OllamaState): void {
    const { logger } = this.#options;
    if (state.kind === 'up') {
      logger.info('Ollama found', { host: this.#url, version: state.version, models: this.#models.size });
    } else if (state.kind === 'away') {
      logger.info('Ollama is not there; looking for it', { host: this.#url, reason: state.reason });
    } else if (state.kind === 'wrong') {
      logger.warn('the address of Ollama is not one of Ollama', { host: this.#url, reason: state.reason });
    }
  }
}

/** Everything others can see of the models, as one text. */
function fingerprint(models: ReadonlyMap<string, OllamaModel>): string {
  return JSON.stringify([...models.values()]);
}

function stateOf(error: unknown, url: string): OllamaState {
  if (isHostAway(error)) return { kind: 'away', reason: messageOf(error) };
  if (error instanceof ObeliskError) return { kind: 'wrong', reason: error.message };
  return { kind: 'wrong', reason: `looking for Ollama at ${url} failed: ${messageOf(error)}` };
}
