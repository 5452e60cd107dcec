import { randomBytes } from 'node:crypto';
import type { Settings } from './config/settings.ts';
import { createRequestIds } from './gateway/request-id.ts';
import { createHostRecords } from './host-records.ts';
import type { HostRecords } from './host-records.ts';
import { indexGauges } from './house-status.ts';
import { Door } from './life/door.ts';
import { LoadWatch } from './life/load-watch.ts';
import { createEmbeddingPort } from './model-hosts.ts';
import { createHouseJobs } from './house-jobs.ts';
import type { OllamaJobs } from './ollama/jobs/jobs.ts';
import { openProfileStore } from './ollama/profiles/store.ts';
import type { ProfileStore } from './ollama/profiles/store.ts';
import { VaultShelf } from './rag/service/vault-shelf.ts';
import { routingCounters, routingGauges } from './router/routing-gauges.ts';
import { ReloadCount } from './reload-count.ts';
import { openSeenModels } from './seen-models.ts';
import type { SeenModels } from './seen-models.ts';
import type { Serving } from './serving.ts';
import { Secret } from './shared/secret.ts';
import type { BatchedLogger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { ExtraGauge, Metrics } from './telemetry/metrics.ts';
import type { HttpRequest } from './wire/http.ts';
import { createUpstreamClient } from './wire/upstream-client.ts';
import type { UpstreamClient } from './wire/upstream.ts';

/** What lives as long as the process, whatever becomes of its configuration. */
export type Lasting = {
  readonly upstream: UpstreamClient;
  readonly logger: BatchedLogger;
  readonly metrics: Metrics;
  /** Queues and books of the models, and what happens on their hosts. */
  readonly records: HostRecords;
  /** What is done to models and takes its time. */
  readonly jobs: OllamaJobs;
  /** Every open vault. */
  readonly shelf: VaultShelf;
  /** Models that hosts had when they were last there. */
  readonly seen: SeenModels;
  /** What was set of hardware profiles while the program ran. */
  readonly profiles: ProfileStore;
  /** Whether new work is taken. */
  readonly door: Door;
  /** Closes the door while the process has too much to do; runs while something listens. */
  readonly load: LoadWatch;
  readonly reloads: ReloadCount;
  /** Tells this process from any other. */
  readonly instanceId: string;
  readonly idOf: (request: HttpRequest) => string;
  /** Where the server is reached once it listens; answers name notes by it. */
  readonly address: { url: string };
  /** A key for this machine's own command line; without a master key the only one that opens the management. */
  readonly localToken: Secret;
};

/** What lasting parts are made from. */
export type LastingOptions = {
  readonly settings: Settings;
  readonly logger: BatchedLogger;
  /** Whether the vaults are followed as they change. */
  readonly watch: boolean;
  /** What serves now; not called before there is something. */
  readonly current: () => Serving;
};

/** Creates what lives as long as the process; nothing is sent or read yet. */
export function createLasting({ settings, logger, watch, current }: LastingOptions): Lasting {
  const instanceId = randomBytes(12).toString('hex');
  const { dataDir } = settings;
  const localToken = new Secret(randomBytes(32).toString('base64url'));
  logger.addSecrets([localToken]);
  const reloads = new ReloadCount(Date.now);
  const door = new Door();
  const load = new LoadWatch({ door, logger });
  const library = (): Serving['library'] => current().library;
  const balancer = (): Serving['balancer'] => current().balancer;
  const records = createHostRecords(() => current().settings);
  const upstream = createUpstreamClient({ transport: settings.server.transport });
  return {
    upstream,
    logger,
    records,
    jobs: createHouseJobs({ dataDir, logger, records, current }),
    metrics: createMetrics(
      [
        ...indexGauges(library),
        ...routingGauges(balancer),
        ...reloads.gauges(),
        ...load.gauges(),
        connectionGauge(upstream),
      ],
      [...routingCounters(balancer), ...reloads.counters(), ...load.counters()],
      () => records.meters.render(),
    ),
    shelf: new VaultShelf({ dataDir, embed: createEmbeddingPort(current), watch, logger }),
    seen: openSeenModels(dataDir, logger),
    profiles: openProfileStore(dataDir, logger),
    door,
    load,
    reloads,
    instanceId,
    idOf: createRequestIds(instanceId),
    address: { url: '' },
    localToken,
  };
}

function connectionGauge(upstream: UpstreamClient): ExtraGauge {
  return {
    name: 'obelisk_upstream_connections',
    help: 'Connections to upstreams, by whether they carry a request.',
    read: () => {
      const { open, idle } = upstream.connections();
      return [
        { labels: { state: 'busy' }, value: open - idle },
        { labels: { state: 'idle' }, value: idle },
      ];
    },
  };
}
