import type { FleetHost } from '../fleet/fleet-host.ts';
import type { OllamaFleet } from '../fleet/fleet.ts';
import type { HostBooks } from '../queue/host-books.ts';
import type { ModelBook } from '../queue/model-book.ts';
import type { HostFacts, ModelAtHost } from './placement-cost.ts';
import type { OllamaTarget } from '../fleet/hosts.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';

/** What facts are gathered from. */
export type FactSources = {
  readonly fleet: OllamaFleet;
  readonly books: HostBooks;
  readonly optionsOf: (target: OllamaTarget) => RunnerOptions;
  /** Memory of a host for models, in bytes, where it is known. */
  readonly memoryOf: (host: FleetHost) => number | undefined;
};

/** What a load is thought to take before the first was measured: a start, and the file read at that speed. */
const LOAD_START_MS = 300;
const LOAD_BYTES_PER_MS = 700_000;
/** What an answer is thought to take before the first was measured, as a part of the load. */
const UNMEASURED_WORK = 0.25;
/** Of the file of a model that was never loaded: what it will take in memory. */
const MEMORY_OF_FILE = 1.2;

/** Gathers what is known of a deployment on its host, from our own books and the last look. */
export function hostFacts(
  { host, target }: { readonly host: FleetHost; readonly target: OllamaTarget },
  sources: FactSources,
): HostFacts {
  const { books, optionsOf, memoryOf } = sources;
  const book = books.book(host.url, target.model);
  const present = believedPresent(host, sources);
  const state = present.includes(book) ? stateOf(book, optionsOf(target)) : 'cold';
  return {
    wanted: modelAt(book, { state, host, sources }),
    others: present
      .filter((other) => other !== book)
      .map((other) => modelAt(other, { state: isComing(other) ? 'loading' : 'warm', host, sources })),
    parallel: Math.max(host.parallel, book.queue.parallel),
    weight: host.weight,
    modelLimit: books.limitOf(host.url),
    memoryBytes: memoryOf(host),
  };
}

function stateOf(book: ModelBook, options: RunnerOptions): ModelAtHost['state'] {
  const warmth = book.warmth(options);
  if (warmth === 'cold' && isComing(book)) return 'loading';
  return warmth === 'reload' ? 'cold' : warmth;
}

/** Whether it is being loaded, or will be by a request that was sent its way. */
function isComing(book: ModelBook): boolean {
  return book.loading || (book.loaded === undefined && book.claims.open > 0);
}

/**
 * The models that a host has loaded or will have, the one used last first. More than fit cannot be:
 * between two looks those used longest ago have gone for those that came.
 */
function believedPresent({ url }: FleetHost, { books }: FactSources): readonly ModelBook[] {
  const all = books.ofHost(url).filter((book) => isComing(book) || book.loaded !== undefined);
  return all.sort((a, b) => usedMs(b) - usedMs(a)).slice(0, books.limitOf(url));
}

/** One that is in use cannot have gone, whenever it was used. */
function usedMs(book: ModelBook): number {
  return book.claims.open > 0 ? Number.MAX_VALUE : book.claims.lastMs;
}

function modelAt(
  book: ModelBook,
  {
    state,
    host,
    sources,
  }: {
    readonly state: ModelAtHost['state'];
    readonly host: FleetHost;
    readonly sources: FactSources;
  },
): ModelAtHost {
  const { fleet, books } = sources;
  const elsewhere = fleet.hosts
    .filter(({ url }) => url !== host.url)
    .map(({ url }) => books.peek(url, book.model))
    .filter((other) => other !== undefined);
  const all = [book, ...elsewhere];
  const nowMs = books.nowMs();
  const fileBytes = host.discovery.model(book.model)?.sizeBytes ?? 0;
  const loadMs = firstOf(all, (one) => one.loadMs) ?? LOAD_START_MS + fileBytes / LOAD_BYTES_PER_MS;
  return {
    state,
    claims: book.claims.open,
    demand: all.reduce((sum, { claims }) => sum + claims.demand(nowMs), 0),
    workMs: firstOf(all, ({ queue }) => queue.workMs) ?? loadMs * UNMEASURED_WORK,
    loadMs,
    loadLeftMs: isComing(book) ? Math.max(0, loadMs - (nowMs - book.claims.sinceMs)) : 0,
    sizeBytes:
      firstOf(all, ({ loaded }) =>
        loaded === undefined || loaded.sizeBytes === 0 ? undefined : loaded.sizeBytes,
      ) ?? fileBytes * MEMORY_OF_FILE,
    warmElsewhere: elsewhere.some(({ loaded }) => loaded !== undefined),
  };
}

function firstOf<T>(books: readonly ModelBook[], read: (book: ModelBook) => T | undefined): T | undefined {
  for (const book of books) {
    const value = read(book);
    if (value !== undefined) return value;
  }
  return undefined;
}
