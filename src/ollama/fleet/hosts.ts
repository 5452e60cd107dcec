import { isOllamaCloudName } from '../../shared/ollama-model-name.ts';
import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import type { Clocks, UpstreamClient } from '../../wire/upstream.ts';
import type { Headers } from '../../wire/http.ts';

import { createOllamaClient } from '../api/client.ts';
import type { OllamaClient } from '../api/client.ts';
import type { OllamaFleet } from './fleet.ts';
import { toOllamaModel } from './model-facts.ts';
import type { OllamaModel } from './model-facts.ts';

/** Every Ollama host that deployments name: those of the fleet, and others by `api_base`. */
export type OllamaHosts = {
  /** The client of a host. */
  client(url: string): OllamaClient;
  /**
   * What is known of a model: from memory where the host is of the fleet, else asked for once, within
   * the clocks of the request that needs it.
   * @throws ObeliskError `forbidden` for a model that leaves the machine, where that is not allowed.
   */
  describe(at: OllamaPlace, signal: AbortSignal, clocks?: Clocks): Promise<OllamaModel | undefined>;
};

/** A model on a host. */
export type OllamaPlace = {
  /** Base URL of the host, without a trailing slash. */
  readonly baseUrl: string;
  /** Ollama's own name of the model. */
  readonly model: string;
};

/** What of a deployment Ollama's side needs. */
export type OllamaTarget = OllamaPlace & {
  /** `litellm_params` of the deployment, by their wire names. */
  readonly defaults: Readonly<Record<string, unknown>>;
};

/** Creates the hosts: those of the fleet, and a client for each other one that is named. */
export function createOllamaHosts(options: {
  readonly upstream: UpstreamClient;
  readonly fleet: OllamaFleet;
  /** Headers of every request to the other hosts. */
  readonly headers?: Headers;
}): OllamaHosts {
  const { fleet, upstream, headers } = options;
  const others = new Map<string, OllamaClient>();
  const described = new Map<string, OllamaModel>();
  const keyOf = (at: OllamaPlace): string => `${at.baseUrl} ${at.model}`;
  const clientOf = (url: string): OllamaClient => {
    const known = fleet.at(url)?.client ?? others.get(url);
    if (known !== undefined) return known;
    const client = createOllamaClient({ url, upstream, ...(headers === undefined ? {} : { headers }) });
    others.set(url, client);
    return client;
  };
  return {
    client: clientOf,
    async describe(at, signal, clocks) {
      const known = fleet.at(at.baseUrl)?.discovery.model(at.model) ?? described.get(keyOf(at));
      const model = known ?? (await describeByShow(clientOf(at.baseUrl), at.model, { signal, clocks }));
      if (model && !known) described.set(keyOf(at), model);
      if (!fleet.allowCloud) requireNear(at, model);
      return model;
    },
  };
}

/** Whatever led to it, a configuration that names the host included: what it is asked would leave. */
function requireNear({ model, baseUrl }: OllamaPlace, found: OllamaModel | undefined): void {
  const remote = found?.remoteHost ?? (isOllamaCloudName(model) ? 'a cloud' : undefined);
  if (remote === undefined) return;
  throw new ObeliskError(
    'forbidden',
    `${baseUrl} forwards ${model} to ${remote}: what it is asked would leave the machine; allow that with providers.ollama.allow_cloud`,
    { param: 'model' },
  );
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
