import { isLocalUrl, isLoopbackUrl } from '../../shared/local-host.ts';
import { ollamaModelKey } from '../../shared/ollama-model-name.ts';

import type { OllamaRunning } from '../api/api-types.ts';
import type { FleetModel, HostMemory, HostView, LoadedModel } from '../control-plane.ts';
import type { FleetHost } from './fleet-host.ts';
import type { OllamaFleet } from './fleet.ts';
import type { HostBooks } from '../queue/host-books.ts';
import { versionWarning } from './known-holes.ts';
import type { ModelBook } from '../queue/model-book.ts';
import type { OllamaModel } from './model-facts.ts';

/** What a view is made from. */
export type FleetViewOptions = {
  readonly books: HostBooks;
  readonly memoryOf: (host: FleetHost) => HostMemory;
};

/** A host as of the last look, with what our own books add. */
export function viewHost(host: FleetHost, { books, memoryOf }: FleetViewOptions): HostView {
  const state = host.discovery.state();
  const loaded = loadedOn(host, books);
  return {
    name: host.name,
    url: host.url,
    state: state.kind,
    ...('reason' in state ? { reason: state.reason } : {}),
    ...('version' in state ? { version: state.version } : {}),
    warnings: warningsOf(host),
    weight: host.weight,
    tags: host.tags,
    draining: host.drain.draining,
    parallel: Math.max(host.parallel, books.foundParallel(host.url)),
    ...memoryOf(host),
    memoryUsedBytes: loaded.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    models: host.discovery.models().length,
    loaded,
  };
}

/** Every model of every host, those included that no request can reach now. */
export function viewModels({ hosts }: OllamaFleet): readonly FleetModel[] {
  const found = new Map<
    string,
    { readonly model: OllamaModel; readonly hosts: FleetModel['hosts'][number][] }
  >();
  for (const host of hosts) {
    const running = new Set(host.discovery.running().map(({ name }) => ollamaModelKey(name)));
    for (const model of host.discovery.models()) {
      const key = ollamaModelKey(model.name);
      const at = { host: host.name, loaded: running.has(key), digest: model.digest };
      const known = found.get(key);
      if (known === undefined) found.set(key, { model, hosts: [at] });
      else known.hosts.push(at);
    }
  }
  return [...found.values()].map(({ model, hosts: places }) => toFleetModel(model, places));
}

function toFleetModel(model: OllamaModel, hosts: FleetModel['hosts']): FleetModel {
  return {
    name: model.name,
    digest: model.digest,
    sizeBytes: model.sizeBytes,
    modifiedAt: model.modifiedMs === 0 ? '' : new Date(model.modifiedMs).toISOString(),
    capabilities: (['chat', 'embedding', 'tools', 'vision', 'thinking'] as const).filter((one) => model[one]),
    ...(model.contextLength === undefined ? {} : { contextLength: model.contextLength }),
    ...(model.remoteHost === undefined ? {} : { remoteHost: model.remoteHost }),
    hosts,
  };
}

/** What warnings follow from. */
export type WarnedHost = Pick<FleetHost, 'url' | 'apiKey' | 'discovery'>;

/** What the owner of a host should know of it, one sentence each. */
export function warningsOf({ url, apiKey, discovery }: WarnedHost): readonly string[] {
  const state = discovery.state();
  const hole = state.kind === 'up' ? versionWarning(state.version) : undefined;
  const isOpen = url.startsWith('http:') && !isLoopbackUrl(url);
  const warnings = [
    hole,
    isOpen && apiKey !== undefined
      ? 'its api_key is sent without TLS, where others can read it; use https'
      : undefined,
    isOpen && apiKey === undefined && !isLocalUrl(url)
      ? 'it is asked over the internet without TLS or a key, so that others can read what is sent and use it as well'
      : undefined,
  ];
  return warnings.filter((warning) => warning !== undefined);
}

/** What Ollama lists, and what our books know beyond it: a model that is loading, or waited for. */
function loadedOn({ url, discovery }: FleetHost, books: HostBooks): readonly LoadedModel[] {
  const running = discovery.running().map((one) => ({ one, book: books.peek(url, one.name) }));
  const listed = running.map(({ one, book }) => toLoaded(one, book));
  const known = new Set(running.map(({ book }) => book));
  const unlisted = books
    .ofHost(url)
    .filter((book) => !known.has(book) && isInUse(book))
    .map((book): LoadedModel => {
      const state = book.loading ? 'loading' : book.loaded === undefined ? 'cold' : 'loaded';
      return { model: book.model, state, sizeBytes: 0, vramBytes: 0, ...usesOf(book) };
    });
  return [...listed, ...unlisted];
}

function isInUse(book: ModelBook): boolean {
  return book.loading || book.loaded !== undefined || book.inFlight > 0 || book.queued > 0;
}

function toLoaded(running: OllamaRunning, book: ModelBook | undefined): LoadedModel {
  const contextLength = contextOf(running, book);
  return {
    model: running.name,
    state: book?.loading === true ? 'loading' : 'loaded',
    sizeBytes: running.size ?? 0,
    vramBytes: running.size_vram ?? 0,
    ...(contextLength === undefined ? {} : { contextLength }),
    ...(running.expires_at === undefined ? {} : { expiresAt: running.expires_at }),
    ...usesOf(book),
  };
}

/** What we have loaded it with since the last look counts more than what was seen there. */
function contextOf(running: OllamaRunning, book: ModelBook | undefined): number | undefined {
  const loaded = book?.loaded;
  const isNewer = loaded !== undefined && loaded.contextLength === undefined;
  const asked = isNewer ? loaded.options?.['num_ctx'] : undefined;
  return typeof asked === 'number' ? asked : running.context_length;
}

function usesOf(book: ModelBook | undefined): Pick<LoadedModel, 'inFlight' | 'queued'> {
  return { inFlight: book?.inFlight ?? 0, queued: book?.queued ?? 0 };
}
