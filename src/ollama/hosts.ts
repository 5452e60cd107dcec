import { isObeliskError } from '../shared/errors.ts';
import type { Clocks, UpstreamClient } from '../wire/upstream.ts';
import type { Headers } from '../wire/http.ts';

import { createOllamaClient } from './client.ts';
import type { OllamaClient } from './client.ts';
import type { OllamaDiscovery } from './discovery.ts';
import { toOllamaModel } from './model-facts.ts';
import type { OllamaModel } from './model-facts.ts';

/** Every Ollama host that deployments name: the discovered one, and others by `api_base`. */
export type OllamaHosts = {
  /** The client of a host. */
  client(url: string): OllamaClient;
  /**
   * What is known of a model: from memory where the host is discovered, else asked for once, within
   * the clocks of the request that needs it.
   */
  describe(at: OllamaPlace, signal: AbortSignal, clocks?: Clocks): Promise<OllamaModel | undefined>;
  isWarm(at: OllamaPlace, numCtx: number | undefined): boolean;
  markWarm(at: OllamaPlace, numCtx: number | undefined): void;
};

/** A model on a host. */
export type OllamaPlace = { readonly baseUrl: string; readonly model: string };

/** Creates the hosts around the discovered one. */
export function createOllamaHosts(options: {
  readonly upstream: UpstreamClient;
  readonly discovery: OllamaDiscovery;
  /** The client of the discovered host. */
  readonly client: OllamaClient;
  /** Headers of every request to the other hosts. */
  readonly headers?: Headers;
}): OllamaHosts {
  const { discovery, upstream, headers } = options;
  const clients = new Map([[options.client.url, options.client]]);
  const described = new Map<string, OllamaModel>();
  const keyOf = (at: OllamaPlace): string => `${at.baseUrl} ${at.model}`;
  const clientOf = (url: string): OllamaClient => {
    const client =
      clients.get(url) ??
      createOllamaClient({ url, upstream, ...(headers === undefined ? {} : { headers }) });
    clients.set(url, client);
    return client;
  };
  return {
    client: clientOf,
    async describe(at, signal, clocks) {
      const known = at.baseUrl === discovery.url ? discovery.model(at.model) : described.get(keyOf(at));
      if (known) return known;
      const model = await describeByShow(clientOf(at.baseUrl), at.model, { signal, clocks });
      if (model) described.set(keyOf(at), model);
      return model;
    },
    // Of a host that is not looked at nothing is known: not warm means that the client is told of a wait.
    isWarm: (at, numCtx) => at.baseUrl === discovery.url && discovery.isWarm(at.model, numCtx),
    markWarm(at, numCtx) {
      if (at.baseUrl === discovery.url) discovery.markWarm(at.model, numCtx);
    },
  };
}

/** Asks `/api/show`; a refusal is left to the request itself, whose error says more. */
async function describeByShow(
  client: OllamaClient,
  model: string,
  { signal, clocks }: { readonly signal: AbortSignal; readonly clocks: Clocks | undefined },
): Promise<OllamaModel | undefined> {
  try {
    return toOllamaModel({ name: model }, await client.show(model, signal, clocks));
  } catch (error) {
    if (isObeliskError(error) && (error.code === 'upstream_error' || error.code === 'upstream_invalid')) {
      return undefined;
    }
    throw error;
  }
}
