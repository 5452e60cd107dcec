/** An Ollama side of Obelisk against a scripted server: client, discovery, hosts and what serves on them. */
import { createOllamaClient } from '../src/ollama/api/client.ts';
import type { OllamaServing } from '../src/ollama/chat-writer.ts';
import { createControlEvents } from '../src/ollama/control-events.ts';
import { createOllamaDiscovery } from '../src/ollama/fleet/discovery.ts';
import { HostBooks } from '../src/ollama/queue/host-books.ts';
import { createOllamaHosts } from '../src/ollama/fleet/hosts.ts';
import { createOllamaManagement } from '../src/ollama/management.ts';
import type { OllamaManagement } from '../src/ollama/management.ts';
import type { QueueLimits } from '../src/ollama/queue/queue.ts';
import type { OllamaSeats } from '../src/ollama/queue/seat.ts';
import { silentLogger } from '../src/telemetry/log.ts';
import { fleetOfOne } from './fleet-of-one.ts';
import { createUpstreamClient } from '../src/wire/upstream-client.ts';
import { profilesOf } from './ollama-profiles.ts';
import type { OllamaModel as ScriptedModel } from './upstream-scripts.ts';
import { startUpstream } from './upstream.ts';
import type { ReceivedRequest, Script, TestUpstream } from './upstream.ts';

/** What runs. */
export type Served = AsyncDisposable & {
  readonly serving: OllamaServing;
  readonly management: OllamaManagement;
  look(): Promise<void>;
};

/** What runs, and the server it runs against. */
export type ServingSetting = Served & { readonly server: TestUpstream };

/** Starts a server and looks at it once. */
export async function startServing(
  script: Script,
  more: Partial<OllamaServing> = {},
): Promise<ServingSetting> {
  const server = await startUpstream(script);
  const served = await servingAt(server.origin, more);
  return {
    ...served,
    server,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

/** Looks at a server once. */
export async function servingAt(url: string, more: Partial<OllamaServing> = {}): Promise<Served> {
  const upstream = createUpstreamClient({ tickMs: 5 });
  const client = createOllamaClient({ url, upstream });
  const seats = seatsForTests();
  const discovery = createOllamaDiscovery({
    client,
    pollMs: 60_000,
    logger: silentLogger,
    onLook: () => seats.books.look(url),
  });
  await discovery.refresh();
  const fleet = fleetOfOne({ client, discovery });
  const hosts = createOllamaHosts({ upstream, fleet });
  const profiles = more.profiles ?? profilesOf();
  return {
    serving: { hosts, seats, logger: silentLogger, newToolCallId: () => 'call_new', profiles, ...more },
    management: createOllamaManagement({
      fleet,
      hosts,
      profiles,
      rules: { registries: ['registry.ollama.ai'], insecureRegistries: [] },
    }),
    look: () => discovery.refresh(),
    async [Symbol.asyncDispose]() {
      await discovery.stop();
      await upstream.close();
    },
  };
}

/** Seats on real clocks, of hosts that serve one request at a time. */
export function seatsForTests(limits: QueueLimits = { parallel: 1, queueLimit: 128 }): OllamaSeats {
  const books = new HostBooks({
    hostName: (url) => new URL(url).host,
    nowMs: () => performance.now(),
    unixMs: Date.now,
    events: createControlEvents(Date.now),
  });
  return { books, limitsOf: () => limits };
}

/** Models of every kind. */
export const MODELS: readonly ScriptedModel[] = [
  { name: 'tiny:latest', capabilities: ['completion'], contextLength: 2048 },
  { name: 'able:latest', capabilities: ['completion', 'tools', 'vision', 'thinking'], contextLength: 65_536 },
  { name: 'embed:latest', capabilities: ['embedding'], contextLength: 512 },
  { name: 'far:cloud', capabilities: ['completion'] },
];

/** The bodies that were sent to a path, in order. */
export function sent(setting: ServingSetting, path = '/api/chat'): readonly unknown[] {
  return setting.server.requests.filter((one: ReceivedRequest) => one.path === path).map((one) => one.json());
}
