import { z } from 'zod';

import { createPoller } from '../ollama/fleet/poller.ts';
import type { Settings } from '../config/settings.ts';
import { messageOf, ObeliskError } from '../shared/errors.ts';
import { parseJson } from '../shared/parse-json.ts';
import { hasSameMembers } from '../shared/same-members.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Headers } from '../wire/http.ts';
import type { Clocks, UpstreamClient } from '../wire/upstream.ts';

import type { Deployment } from './deployment.ts';

/** The models of a LiteLLM proxy (or another OpenAI-compatible gateway), kept up to date in memory. */
export type ProxyModels = {
  /** Base URL of the proxy, as configured. */
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  refresh(): Promise<void>;
  /** The models that can be asked for now; none while the proxy is away. */
  models(): readonly Deployment[];
  model(name: string): Deployment | undefined;
  /** Why the proxy cannot be asked, or undefined when it can. */
  trouble(): string | undefined;
  /** Whether the proxy had a model of that name when it was last there. */
  wasSeen(name: string): boolean;
  /** Calls `listener` after the models changed. Returns an undo. */
  onChange(listener: () => void): () => void;
};

/** What the models of a proxy are made of. */
export type ProxyModelsOptions = {
  readonly proxy: NonNullable<Settings['providers']['litellm']>;
  readonly upstream: UpstreamClient;
  /** Milliseconds between two looks. */
  readonly pollMs: number;
  readonly logger: Logger;
  /** Headers of every look, lower-case. */
  readonly headers?: Headers;
  /** Names seen by an earlier process, so that a request for one is told that the proxy is away. */
  readonly seen?: readonly string[];
  /** Gets the names that the proxy has when they changed, for keeping. */
  readonly onSeen?: (names: readonly string[]) => void;
};

const LOOK_CLOCKS: Clocks = { connectMs: 2_000, firstByteMs: 10_000, idleMs: 5_000, totalMs: 15_000 };
const MAX_LIST_BYTES = 8 * 1024 * 1024;

const modelList = z.lazy(() => z.object({ data: z.array(z.object({ id: z.string().min(1) })) }));

/** Creates the look-out for a proxy's models; nothing is sent before `start` or `refresh`. */
export function createProxyModels(options: ProxyModelsOptions): ProxyModels {
  const { proxy, logger } = options;
  const listeners = new Set<() => void>();
  let seen: ReadonlySet<string> = new Set(options.seen);
  let wasThere = false;
  let models: ReadonlyMap<string, Deployment> = new Map();
  let trouble: string | undefined = 'it has not been found yet';
  const remember = (names: ReadonlySet<string>): void => {
    const changed = !hasSameMembers(seen, names);
    seen = names;
    wasThere = true;
    if (changed) options.onSeen?.([...names]);
  };
  const settle = (next: ReadonlyMap<string, Deployment>, problem: string | undefined): void => {
    const turned = (trouble === undefined) !== (problem === undefined) || (trouble !== problem && !wasThere);
    const changed = turned || [...models.keys()].join('\n') !== [...next.keys()].join('\n');
    models = next;
    trouble = problem;
    if (problem === undefined) remember(new Set(next.keys()));
    if (turned) report(logger, { host: proxy.apiBase, models: next.size, problem });
    if (!changed) return;
    for (const listener of listeners) listener();
  };
  const look = async (signal: AbortSignal): Promise<boolean> => {
    try {
      const names = await listModels(options, signal);
      // Deployments are kept while they are listed: others remember things by them.
      settle(new Map(names.map((name) => [name, models.get(name) ?? toDeployment(name, proxy)])), undefined);
      return true;
    } catch (error) {
      if (!signal.aborted) settle(new Map(), messageOf(error));
      return false;
    }
  };
  return {
    url: proxy.apiBase,
    ...createPoller({ look, pollMs: options.pollMs }),
    models: () => [...models.values()],
    model: (name) => models.get(name),
    trouble: () => trouble,
    wasSeen: (name) => seen.has(name),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

async function listModels(
  { proxy, upstream, headers }: ProxyModelsOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const url = new URL(proxy.apiBase);
  const response = await upstream.request(
    {
      origin: url.origin,
      path: `${url.pathname.replace(/\/+$/, '')}/models`,
      method: 'GET',
      headers: {
        ...headers,
        accept: 'application/json',
        ...(proxy.apiKey === undefined ? {} : { authorization: `Bearer ${proxy.apiKey.reveal()}` }),
      },
      clocks: LOOK_CLOCKS,
    },
    signal,
  );
  const bytes = await response.bytes(MAX_LIST_BYTES);
  if (response.status === 508) {
    throw new ObeliskError('loop_detected', `${proxy.apiBase} is this Obelisk itself, not a LiteLLM proxy`);
  }
  if (response.status !== 200) throw refused(proxy.apiBase, response.status);
  const parsed = modelList.safeParse(parseJson(bytes.toString('utf8')));
  if (parsed.success) return [...new Set(parsed.data.data.map((model) => model.id))];
  throw new ObeliskError(
    'upstream_invalid',
    `litellm ${proxy.apiBase} did not answer /models with a list of models`,
  );
}

function refused(url: string, status: number): ObeliskError {
  const isKey = status === 401 || status === 403;
  const hint = isKey ? '; check providers.litellm.api_key (LITELLM_API_KEY)' : '';
  return new ObeliskError(
    isKey ? 'upstream_auth' : 'upstream_error',
    `litellm ${url} answered /models with ${String(status)}${hint}`,
  );
}

function toDeployment(name: string, proxy: ProxyModelsOptions['proxy']): Deployment {
  return {
    id: `litellm_proxy/${name}`,
    modelName: name,
    dialect: 'openai',
    model: name,
    baseUrl: proxy.apiBase,
    ...(proxy.apiKey === undefined ? {} : { apiKey: proxy.apiKey }),
    defaults: {},
    capabilities: {},
    source: `litellm ${proxy.apiBase}`,
    // What the proxy forwards to is not known.
    local: false,
  };
}

function report(
  logger: Logger,
  what: { readonly host: string; readonly models: number; readonly problem: string | undefined },
): void {
  const { host, models, problem } = what;
  if (problem === undefined) logger.info('LiteLLM proxy found', { host, models });
  else logger.warn('the LiteLLM proxy cannot be used', { host, reason: problem });
}
