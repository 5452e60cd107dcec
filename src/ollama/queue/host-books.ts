import { ObeliskError } from '../../shared/errors.ts';

import type { OllamaRunning } from '../api/api-types.ts';
import type { ControlEvents } from '../control-events.ts';
import type { HostMeters } from './host-meters.ts';
import { ollamaModelName } from '../../shared/ollama-model-name.ts';
import { KnownWeights } from './known-weights.ts';
import type { WeighedModel } from './known-weights.ts';
import { ModelBook } from './model-book.ts';
import { ModelLimit } from './model-limit.ts';

/** What a look at a host found. */
export type FoundOnHost = {
  readonly models: Iterable<WeighedModel>;
  readonly running: readonly OllamaRunning[];
};

/** What books are made of. */
export type HostBooksOptions = {
  /** Name of a host by its base URL, as the configuration in force has it. */
  readonly hostName: (url: string) => string;
  /** Milliseconds that never go back. */
  readonly nowMs: () => number;
  /** Milliseconds since the epoch. */
  readonly unixMs: () => number;
  readonly events: ControlEvents;
  /** Gets what is measured. */
  readonly meters?: HostMeters;
};

/** A pattern of `model_list` hands on whatever name a client sends: what never was loaded is not kept. */
const MAX_BOOKS = 512;

/**
 * What we know of every model on every host because it was us who asked: requests in flight and
 * waiting, loads under way, the options a model was last loaded with, how long loads and answers
 * take. Ollama tells none of it. One per process: a new configuration goes on with the same books.
 */
export class HostBooks {
  readonly #options: HostBooksOptions;
  /** By base URL, then by what the model is known by. */
  readonly #hosts = new Map<string, Map<string, ModelBook>>();
  readonly #weights = new KnownWeights();
  readonly #limits = new Map<string, ModelLimit>();

  constructor(options: HostBooksOptions) {
    this.#options = options;
  }

  /**
   * The book of a model on a host, in any spelling of its name; begun where there is none. Names of
   * the same weights have one: Ollama loads those once, and serves all of the names from there.
   */
  book(url: string, model: string): ModelBook {
    let books = this.#hosts.get(url);
    if (books === undefined) {
      books = new Map();
      this.#hosts.set(url, books);
    }
    const key = this.#weights.keyOf(url, model);
    let book = books.get(key);
    if (book === undefined) {
      if (books.size >= MAX_BOOKS) forgetBlank(books);
      // One spelling, whoever asked first: metrics and events go by it.
      book = new ModelBook({ ...this.#options, url, model: ollamaModelName(model) });
      books.set(key, book);
    }
    return book;
  }

  /** The book of a model where one was begun. */
  peek(url: string, model: string): ModelBook | undefined {
    return this.#hosts.get(url)?.get(this.#weights.keyOf(url, model));
  }

  /** The books of a host. */
  ofHost(url: string): readonly ModelBook[] {
    return [...(this.#hosts.get(url)?.values() ?? [])];
  }

  all(): readonly ModelBook[] {
    return [...this.#hosts.values()].flatMap((books) => [...books.values()]);
  }

  /** Requests that a host was seen to serve at once of a model, where nobody has configured how many those are. */
  foundParallel(url: string): number {
    return Math.max(1, ...this.ofHost(url).map(({ queue }) => queue.foundParallel ?? 1));
  }

  /** Notes which weights the models of a host have. */
  noteModels(url: string, models: Iterable<WeighedModel>): void {
    this.#weights.note(url, models);
    const books = this.#hosts.get(url) ?? new Map<string, ModelBook>();
    for (const [before, book] of books) {
      const key = this.#weights.keyOf(url, book.model);
      if (key === before) continue;
      const isTaken = books.has(key);
      // One that is in use goes on beside the other until it is not.
      if (isTaken && isAsked(book)) continue;
      books.delete(before);
      if (!isTaken) books.set(key, book);
    }
  }

  /**
   * Notes what a look at `/api/ps` found: what is gone before its time, while another model was
   * asked for, was evicted by Ollama to make room.
   * @param askedAtMs When the look began, by the clock of the books: what was loaded since then stands.
   */
  noteRunning(url: string, running: readonly OllamaRunning[], askedAtMs: number): void {
    const seen = new Set(running.map(({ name }) => this.#weights.keyOf(url, name)));
    for (const model of running) this.book(url, model.name).noteListed(model, askedAtMs);
    const books = [...(this.#hosts.get(url) ?? [])];
    // A load may have waited at the host for long before it made room for itself.
    const uses = books.map(([key, book]) => (seen.has(key) ? book.usedAtMs : book.loading ? askedAtMs : 0));
    const newestUseMs = Math.max(0, ...uses);
    for (const [key, book] of books) {
      if (!seen.has(key)) book.noteMissing(askedAtMs, newestUseMs);
    }
    const evictions = books.reduce((sum, [, { counts }]) => sum + counts.evictions, 0);
    // One that is loading has its place already, and is not listed.
    const loading = books.filter(([key, book]) => book.loading && !seen.has(key)).length;
    this.#limitOf(url).note(running.length + loading, evictions);
  }

  /** Models that fit on a host at once, as far as was seen. */
  limitOf(url: string): number {
    return this.#limitOf(url).models;
  }

  /** Notes that a host is away: nothing is loaded there as far as anybody knows, and nobody waits for it. */
  noteAway(url: string): void {
    const message = `ollama ${url} went away while the request waited for its turn`;
    for (const book of this.ofHost(url)) book.noteAway(new ObeliskError('upstream_unreachable', message));
  }

  /**
   * Begins a look at what a host has loaded; what it gives takes the answer, or nothing where the host
   * is away.
   */
  look(url: string): (found: FoundOnHost | undefined) => void {
    const askedAtMs = this.nowMs();
    return (found) => {
      if (found === undefined) {
        this.noteAway(url);
        return;
      }
      this.noteModels(url, found.models);
      this.noteRunning(url, found.running, askedAtMs);
    };
  }

  /** Forgets every host that is not among those that are named, and that nobody asks any more. */
  keepHosts(isNamed: (url: string) => boolean): void {
    for (const [url, books] of this.#hosts) {
      if (isNamed(url) || [...books.values()].some(isAsked)) continue;
      this.#hosts.delete(url);
      this.#weights.forget(url);
      this.#limits.delete(url);
    }
  }

  #limitOf(url: string): ModelLimit {
    let limit = this.#limits.get(url);
    if (limit === undefined) {
      limit = new ModelLimit();
      this.#limits.set(url, limit);
    }
    return limit;
  }

  /** Now, by the clock of the books. */
  nowMs(): number {
    return this.#options.nowMs();
  }
}

function forgetBlank(books: Map<string, ModelBook>): void {
  for (const [key, book] of books) if (isBlank(book)) books.delete(key);
}

/** Whether nothing is known of a model, and nobody asks for it now. */
function isBlank(book: ModelBook): boolean {
  return !isAsked(book) && !book.loading && book.loaded === undefined && book.usedAtMs === 0;
}

function isAsked({ claims, inFlight, queued }: ModelBook): boolean {
  return claims.open > 0 || inFlight > 0 || queued > 0;
}
