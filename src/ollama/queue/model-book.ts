import type { ObeliskError } from '../../shared/errors.ts';
import { ollamaModelName } from '../../shared/ollama-model-name.ts';

import type { OllamaRunning } from '../api/api-types.ts';
import { Claims } from './claims.ts';
import type { RequestTiming } from '../control-plane.ts';
import type { HostBooksOptions } from './host-books.ts';
import { listedAs } from './loaded-with.ts';
import type { Loaded } from './loaded-with.ts';
import { SlotQueue } from './queue.ts';
import { changedOptions } from './runner-options.ts';
import type { RunnerOptions } from './runner-options.ts';

/** How a model would meet a request: `reload` is loaded, but with other runner options. */
export type Warmth = 'warm' | 'loading' | 'cold' | 'reload';

/** What a request found and what it costs; ended exactly once. */
export type ModelUse = {
  readonly warmth: Warmth;
  /** The runner options for which a loaded model is loaded anew; empty for any other. */
  readonly changed: readonly string[];
  /** The first word has come: the model is loaded. Further calls do nothing. */
  answered(): void;
  /** The answer is complete. `unloads`: the request asked for the model to be unloaded after it. */
  ended(timing: RequestTiming, unloads?: boolean): void;
  /** The request failed or was left; does nothing after `ended`. */
  abandoned(): void;
};

/** Numbers of a book that only grow. */
export type BookCounts = {
  loads: number;
  /** Loads of a model that was loaded, because of other options. */
  reloads: number;
  evictions: number;
  /** Times that Ollama said that it is busy. */
  busy: number;
};

/** Whose book it is. */
export type ModelBookOptions = HostBooksOptions & { readonly url: string; readonly model: string };

/** How much of a usual load a request for a warm model may wait before it must have been a load after all. */
const HIDDEN_LOAD_SHARE = 0.5;
const HIDDEN_LOAD_LEAST_MS = 50;
/** The same before a load was measured. */
const UNKNOWN_LOAD_LEAST_MS = 500;
/** How much the newest measurement counts in the average. */
const NEWEST = 0.5;

/** The book of one model on one host. */
export class ModelBook {
  readonly url: string;
  /** As it was first asked for; other names of the same weights have the same book. */
  readonly model: string;
  readonly queue: SlotQueue;
  /** Requests that were sent its way. */
  readonly claims: Claims = new Claims();
  readonly counts: BookCounts = { loads: 0, reloads: 0, evictions: 0, busy: 0 };
  readonly #options: ModelBookOptions;
  #loaded: Loaded | undefined;
  /** When it was last loaded or answered, by the clock of the books. */
  #warmAtMs = 0;
  /** When it was last known to be loaded. */
  #seenAtMs = 0;
  #loadedAtMs = 0;
  #loading: Loading | undefined;
  #loadMs: number | undefined;
  #leastLoadMs = Infinity;

  constructor(options: ModelBookOptions) {
    this.#options = options;
    this.url = options.url;
    this.model = options.model;
    this.queue = new SlotQueue({
      name: `${options.model} at ollama ${options.url}`,
      nowMs: options.nowMs,
      loadLeftMs: () => this.#loadLeftMs(),
    });
  }

  /** Name of the host. */
  get host(): string {
    return this.#options.hostName(this.url);
  }

  /** Requests that the host is answering for us. */
  get inFlight(): number {
    return this.queue.inFlight;
  }

  /** Requests that wait with us. */
  get queued(): number {
    return this.queue.queued;
  }

  /** What it is loaded with; undefined where it is not loaded as far as is known. */
  get loaded(): Loaded | undefined {
    return this.#loaded;
  }

  /** When it was last found to have come, or answered, by the clock of the books; 0 before that. */
  get usedAtMs(): number {
    return Math.max(this.#loadedAtMs, this.#warmAtMs);
  }

  /** Whether we have asked for it and it is being loaded: Ollama lists a model only after that. */
  get loading(): boolean {
    return this.#loading !== undefined;
  }

  /** Milliseconds that loading it takes here, as measured; undefined before the first time. */
  get loadMs(): number | undefined {
    return this.#loadMs;
  }

  /** How it would meet a request with these runner options. */
  warmth(options: RunnerOptions): Warmth {
    if (this.#loading === undefined && this.#loaded === undefined) return 'cold';
    if (this.changed(options).length > 0) return 'reload';
    return this.#loading === undefined ? 'warm' : 'loading';
  }

  /** The runner options for which a loaded model would be loaded anew. */
  changed(options: RunnerOptions): readonly string[] {
    const loaded = this.#loading?.options ?? this.#loaded?.options;
    if (loaded !== undefined) return changedOptions(loaded, options);
    const window = this.#loaded?.contextLength;
    const wanted = options['num_ctx'];
    // Of a model that somebody else loaded only the window can be seen.
    return window === undefined || wanted === undefined || window === wanted ? [] : ['num_ctx'];
  }

  /** Notes that a request, or a load, is sent with these runner options, for the model by this name. */
  begin(options: RunnerOptions, asked: string = this.model): ModelUse {
    // Requests are told of by the name that they ask for.
    const name = ollamaModelName(asked);
    const warmth = this.warmth(options);
    const changed = warmth === 'reload' ? this.changed(options) : [];
    if (changed.length > 0) {
      this.counts.reloads += 1;
      this.#options.events.publish({ type: 'reload', host: this.host, model: name, options: changed });
    }
    if (warmth === 'cold' || warmth === 'reload') this.#beginLoading(options);
    const loading = this.#loading;
    if (loading !== undefined) loading.uses += 1;
    return this.#use({ warmth, changed, name, options, loading });
  }

  /** Notes that Ollama would not take a request now. */
  noteBusy(): void {
    this.counts.busy += 1;
  }

  /** Notes that the model was unloaded on purpose, or that nothing is known any more. */
  noteUnloaded(): void {
    if (this.#loaded === undefined) return;
    this.#loaded = undefined;
    this.#tell('unloaded');
  }

  /** Notes that the host is away: nothing is known of it, and nobody waits for it in vain. */
  noteAway(reason: ObeliskError): void {
    this.queue.giveUp(reason);
    this.noteUnloaded();
  }

  /** Notes that `/api/ps` lists it. */
  noteListed(running: OllamaRunning, askedAtMs: number): void {
    if (this.#loading !== undefined) return;
    const before = this.#loaded;
    const isSame =
      before?.contextLength === undefined ||
      before.contextLength === running.context_length ||
      this.#warmAtMs >= askedAtMs;
    this.#loaded = listedAs(running, isSame ? before?.options : undefined);
    this.#seenAtMs = Math.max(this.#seenAtMs, askedAtMs);
    if (before !== undefined) return;
    this.#loadedAtMs = askedAtMs;
    this.#tell('loaded');
  }

  /**
   * Notes that `/api/ps` does not list it.
   * @param newestUseMs When the last of the other models of the host was loaded or used.
   */
  noteMissing(askedAtMs: number, newestUseMs: number): void {
    const gone = this.#loaded;
    if (gone === undefined || this.#loading !== undefined) return;
    if (this.#warmAtMs >= askedAtMs || this.inFlight > 0) return;
    this.#loaded = undefined;
    // What we loaded since the last look has not been listed with its time yet.
    const early = gone.expiresAt === undefined || Date.parse(gone.expiresAt) > this.#options.unixMs();
    const evicted = early && newestUseMs >= this.#seenAtMs;
    if (evicted) this.counts.evictions += 1;
    this.#tell(evicted ? 'evicted' : 'unloaded');
  }

  #tell(type: 'loading' | 'loaded' | 'unloaded' | 'evicted'): void {
    this.#options.events.publish({ type, host: this.host, model: this.model });
  }

  #use(begun: BegunUse): ModelUse {
    let [answered, over] = [false, false];
    const answer = (): void => {
      if (answered || over) return;
      answered = true;
      this.#noteAnswered(begun);
    };
    return {
      warmth: begun.warmth,
      changed: begun.changed,
      answered: answer,
      ended: (timing, unloads = false) => {
        answer();
        if (over) return;
        over = true;
        this.#noteEnded(begun, { timing, unloads });
      },
      abandoned: () => {
        if (!answered && !over) this.#leaveLoading(begun.loading);
        over = true;
      },
    };
  }

  #beginLoading(options: RunnerOptions): void {
    this.#loading = { options, sinceMs: this.#options.nowMs(), uses: 0 };
    this.#tell('loading');
  }

  #noteAnswered({ options, loading }: BegunUse): void {
    this.#warmAtMs = this.#options.nowMs();
    const finished = loading !== undefined && loading === this.#loading;
    if (finished) this.#loading = undefined;
    // An answer from before a load with other options says nothing of what is loaded next.
    if (this.#loading !== undefined) return;
    const before = this.#loaded;
    const { contextLength, ...known } = before ?? { sizeBytes: 0, vramBytes: 0 };
    const stays = !finished && contextLength !== undefined;
    this.#loaded = { ...known, ...(stays ? { contextLength } : {}), options };
    this.#seenAtMs = this.#warmAtMs;
    if (!finished && before !== undefined) return;
    this.#loadedAtMs = this.#warmAtMs;
    this.#tell('loaded');
  }

  #noteEnded({ warmth, name }: BegunUse, { timing, unloads }: EndedUse): void {
    const { meters, events } = this.#options;
    this.#warmAtMs = this.#options.nowMs();
    const hidden = warmth === 'warm' && timing.loadMs > this.#hiddenLoadMs();
    if (warmth === 'cold' || warmth === 'reload' || hidden) {
      this.counts.loads += 1;
      const usualMs = this.#loadMs ?? timing.loadMs;
      this.#loadMs = usualMs + (timing.loadMs - usualMs) * NEWEST;
      this.#leastLoadMs = Math.min(this.#leastLoadMs, timing.loadMs);
      meters?.loaded(this, timing.loadMs);
    }
    // A load that nobody asked anything with is no request.
    if (timing.promptTokens + timing.completionTokens > 0) {
      meters?.ended({ host: this.host, model: name }, timing);
      events.publish({ type: 'request', host: this.host, model: name, ...timing });
    }
    if (unloads) this.noteUnloaded();
  }

  /** What Ollama says of a load from which on it must have been one, in milliseconds. */
  #hiddenLoadMs(): number {
    if (this.#loadMs === undefined) return UNKNOWN_LOAD_LEAST_MS;
    // The shortest: Ollama counts what a load has waited for others as well.
    return Math.max(HIDDEN_LOAD_LEAST_MS, this.#leastLoadMs * HIDDEN_LOAD_SHARE);
  }

  /** A load that nobody waits for any more has failed or goes on unseen: nothing is known of it. */
  #leaveLoading(loading: Loading | undefined): void {
    if (loading === undefined) return;
    loading.uses -= 1;
    if (loading.uses > 0 || loading !== this.#loading) return;
    this.#loading = undefined;
    this.#loaded = undefined;
  }

  #loadLeftMs(): number {
    if (this.#loading === undefined || this.#loadMs === undefined) return 0;
    return Math.max(0, this.#loadMs - (this.#options.nowMs() - this.#loading.sinceMs));
  }
}

/** A load under way; `uses` counts the requests that wait for it. */
type Loading = { readonly options: RunnerOptions; readonly sinceMs: number; uses: number };

type BegunUse = {
  readonly warmth: Warmth;
  readonly changed: readonly string[];
  readonly name: string;
  readonly options: RunnerOptions;
  readonly loading: Loading | undefined;
};

type EndedUse = { readonly timing: RequestTiming; readonly unloads: boolean };
