import { randomBytes, randomUUID } from 'node:crypto';
import type { Settings } from './config/settings.ts';
import { createControlPlane } from './control-plane.ts';
import { createApp } from './gateway/app.ts';
import type { App } from './gateway/app.ts';
import { createInProcessClient } from './gateway/in-process-chat.ts';
import type { InProcessClient } from './gateway/in-process-chat.ts';
import { ollamaManageRoutes } from './gateway/ollama-api/manage-routes.ts';
import { managementRoutes } from './gateway/ollama-management/routes.ts';
import { OpenCalls } from './gateway/open-calls.ts';
import type { Route } from './gateway/route-table.ts';
import { readinessOf } from './house-status.ts';
import type { Lasting } from './lasting.ts';
import { createModelHosts } from './model-hosts.ts';
import type { ModelHosts } from './model-hosts.ts';
import type { ControlPlane } from './ollama/control-plane.ts';
import { createOllamaChat } from './ollama/chat-writer.ts';
import { createOllamaEmbedder } from './ollama/embedder.ts';
import { createFleetBlobs } from './ollama/fleet/fleet-blobs.ts';
import { createOllamaLoader } from './ollama/loader.ts';
import type { VaultLibrary } from './rag/library.ts';
import { Balancer } from './router/balancer.ts';
import { createProviderFactory } from './router/provider-factory.ts';
import type { ProviderFactory } from './router/provider-factory.ts';
import type { ProxyModels } from './router/proxy-models.ts';
import { createModelRegistry } from './router/registry.ts';
import type { ConfiguredRegistry } from './router/registry.ts';
import type { Secret } from './shared/secret.ts';
import { siteRoutes } from './site/routes.ts';
import { createSessions } from './site/sessions.ts';
import type { Sessions } from './site/sessions.ts';
import type { Logger } from './telemetry/log.ts';
import type { Handler } from './wire/http.ts';
import { createAnswerWriters } from './writers.ts';

/** Everything that one configuration builds; a reload replaces it as a whole, by one assignment. */
export type Serving = {
  readonly settings: Settings;
  readonly handler: Handler;
  /** Every route that the handler serves, with who may call it. */
  readonly routes: readonly Route[];
  /** Asks this serving's own handler: a request ends with the configuration that it began with. */
  readonly gateway: InProcessClient;
  readonly registry: ConfiguredRegistry;
  readonly balancer: Balancer;
  readonly library: VaultLibrary;
  readonly hosts: ModelHosts;
  readonly control: ControlPlane;
  readonly proxy: ProxyModels | undefined;
  readonly providers: ProviderFactory;
  readonly sessions: Sessions;
  /** Requests that this serving is answering. */
  readonly calls: OpenCalls;
  /** Resolves after the first look at every host of models. */
  readonly looked: Promise<void>;
  /** Makes room for `heir`: ends what runs by itself at once, the rest when the last request has ended. */
  retire(heir: Serving): Promise<void>;
};

/** What a serving is built from. */
export type ServingOptions = {
  readonly settings: Settings;
  readonly lasting: Lasting;
  /** The one that it will replace. */
  readonly previous?: Serving;
};

type Keys = Pick<Settings, 'inferenceKeys'> & { readonly masterKey?: Secret; readonly localToken: Secret };

const monotonicMs = (): number => performance.now();
const CLOCK = { monotonicMs, unixMs: Date.now };
const randomId = (): string => randomUUID().replaceAll('-', '');

/** Builds what a configuration asks for, on what lasts and beside what the one before had the same. */
export function createServing({ settings, lasting, previous }: ServingOptions): Serving {
  const { logger, shelf } = lasting;
  const hosts = createModelHosts({ settings, ...lasting, previous });
  const { proxy } = hosts;
  const library = shelf.open(settings.vaults);
  const registry = createModelRegistry({ settings, ...hosts, vaultNames: () => library.names() });
  reportUnservable(registry, logger);
  const balancer = new Balancer({
    settings: settings.routing,
    logger,
    monotonicMs,
    random: Math.random,
    placement: hosts.placement,
    previous: previous?.balancer,
  });
  // The writers need the gateway, which needs them: it is reached through this door.
  const gateway = createInProcessClient((request, response) => handler(request, response));
  const keys = keysOf(settings, lasting);
  const sessions = sessionsFor(keys, previous);
  const calls = new OpenCalls();
  const control = createControlPlane({ ...lasting, hosts });
  const parts = { settings, hosts, control, library, registry, balancer, gateway, keys, sessions, calls };
  const { handler, routes } = createGateway(parts, lasting);
  return {
    ...parts,
    handler,
    routes,
    proxy,
    providers: createProviderFactory({
      mode: settings.providers.mode,
      hasLitellm: proxy !== undefined,
      chat: gateway.chat,
      defaultModel: () => registry.defaultChat()?.modelName,
      management: hosts.management,
    }),
    looked: hosts.start(),
    async retire(heir) {
      await hosts.stop(heir.hosts);
      await calls.idle();
      hosts.end();
      lasting.records.forgetUnnamed();
      await library.close();
    },
  };
}

type Parts = Pick<
  Serving,
  'settings' | 'hosts' | 'control' | 'library' | 'registry' | 'balancer' | 'gateway' | 'sessions' | 'calls'
> & { readonly keys: Keys };

function createGateway(parts: Parts, lasting: Lasting): App {
  const { settings, hosts, control, library, keys, sessions } = parts;
  const { door, address } = lasting;
  return createApp({
    ...lasting,
    ...parts,
    writers: {
      ollama: createOllamaChat(hosts.serving),
      ...createAnswerWriters({ ...lasting, ...parts, publicUrl: () => address.url }),
    },
    embedders: { ollama: createOllamaEmbedder(hosts.serving) },
    loaders: { ollama: createOllamaLoader(hosts.serving) },
    ollamaClient: (baseUrl) => hosts.serving.hosts.client(baseUrl),
    access: { ...settings.server, ...keys, sessions },
    status: () => readinessOf({ library, ...hosts, trouble: door.trouble }),
    clock: CLOCK,
    randomId,
    admission: door,
    extraRoutes: [
      ...siteRoutes({ library, sessions }),
      ...managementRoutes({ control }),
      ...ollamaManageRoutes({ control, blobs: createFleetBlobs(hosts.fleet) }),
    ],
  });
}

function reportUnservable(registry: ConfiguredRegistry, logger: Logger): void {
  for (const { modelName, source, reason } of registry.unservable()) {
    logger.warn('a model of model_list cannot be served', { model: modelName, at: source, reason });
  }
}

/** Management is locked without a master key too: then the local token alone opens it. */
function keysOf({ masterKey, inferenceKeys }: Settings, { localToken }: Lasting): Keys {
  return { inferenceKeys, localToken, ...(masterKey === undefined ? {} : { masterKey }) };
}

/** Sessions of the page are as good as the key that they were opened with: another key ends them. */
function sessionsFor(keys: Keys, previous: Serving | undefined): Sessions {
  const same = previous !== undefined && previous.settings.masterKey?.reveal() === keys.masterKey?.reveal();
  return same ? previous.sessions : createSessions({ ...keys, now: monotonicMs, random: randomBytes });
}
