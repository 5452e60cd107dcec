import { describeOllama } from './describe-ollama.ts';
import type { ModelEntry, Settings, ValueOrigin } from './settings.ts';

/** One effective value as it may be shown. */
export type SettingRow = {
  /** Path in `obelisk.yaml`. */
  readonly key: string;
  /** Absent where nothing is set; a secret is `[secret]`. */
  readonly value?: unknown;
  readonly origin: ValueOrigin;
};

const DEFAULT: ValueOrigin = { kind: 'default' };
const SECRET_NAME = /key|secret|token|password|credential|authorization|header|cookie/i;

/** Lists every effective setting with its origin, by the names of the file. No secret is among the values. */
export function describeSettings(
  settings: Settings,
  origins: ReadonlyMap<string, ValueOrigin>,
): readonly SettingRow[] {
  const { server, routing, providers, rag, log } = settings;
  const values: Readonly<Record<string, unknown>> = {
    'server.host': server.host,
    'server.port': server.port,
    'server.allowed_hosts': server.allowedHosts,
    'server.allowed_origins': server.allowedOrigins,
    'server.transport': server.transport,
    'server.timeouts.headers': server.timeouts.headersMs / 1_000,
    'server.timeouts.body': server.timeouts.bodyMs / 1_000,
    'server.timeouts.keep_alive': server.timeouts.keepAliveMs / 1_000,
    'server.timeouts.stalled': server.timeouts.stalledMs / 1_000,
    'server.drain': server.drainMs / 1_000,
    'general_settings.master_key': settings.masterKey && '[secret]',
    'general_settings.inference_keys': settings.inferenceKeys.map(() => '[secret]'),
    'router_settings.routing_strategy': routing.strategy,
    'router_settings.num_retries': routing.retries,
    'router_settings.cooldown_time': inSeconds(routing.cooldownMs),
    'router_settings.allowed_fails': routing.allowedFails,
    'router_settings.retry_after': inSeconds(routing.retryAfterMs),
    'upstream.timeouts.connect': inSeconds(routing.timeouts.connectMs),
    'upstream.timeouts.first_byte': inSeconds(routing.timeouts.firstByteMs),
    'upstream.timeouts.idle': inSeconds(routing.timeouts.idleMs),
    'upstream.timeouts.total': inSeconds(routing.timeouts.totalMs),
    'providers.default': providers.mode,
    ...describeOllama(providers.ollama, origins.has('providers.ollama.hosts')),
    'providers.litellm.api_base': providers.litellm?.apiBase,
    'providers.litellm.api_key': providers.litellm?.apiKey && '[secret]',
    'rag.model': rag.model,
    'rag.embedding_model': rag.embeddingModel,
    data_dir: settings.dataDir,
    'log.level': log.level,
    'log.format': log.format,
  };
  return [
    ...Object.entries(values).map(([key, value]) =>
      // A list that has a row for each of its entries comes from one place.
      toRow(key, value, origins.get(key) ?? origins.get(key.replace(/\.\d+$/, ''))),
    ),
    ...describeVaults(settings, origins.get('vaults')),
    ...settings.modelList.map((entry, index) =>
      toRow(`model_list.${index}`, describeModel(entry), origins.get(`model_list.${index}`)),
    ),
  ];
}

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

/** A row each, so that a long list stays readable. */
function describeVaults({ vaults }: Settings, origin: ValueOrigin | undefined): readonly SettingRow[] {
  if (vaults.length === 0) return [toRow('vaults', [], origin)];
  return vaults.map(({ name, path }, index) => toRow(`vaults.${index}`, { name, path }, origin));
}

function toRow(key: string, value: unknown, origin: ValueOrigin = DEFAULT): SettingRow {
  return value === undefined ? { key, origin } : { key, value, origin };
}

function describeModel(entry: ModelEntry): Readonly<Record<string, unknown>> {
  return {
    model_name: entry.modelName,
    model: entry.model,
    ...(entry.apiBase === undefined ? {} : { api_base: entry.apiBase }),
    ...(entry.apiKey === undefined ? {} : { api_key: '[secret]' }),
    ...(entry.mockResponse === undefined ? {} : { mock_response: '…' }),
    ...Object.fromEntries(
      Object.entries(entry.params).map(([name, value]) => [name, showParam(name, value)]),
    ),
  };
}

/** Parameters can be anything, secrets of unknown providers included: only plain ones are shown. */
function showParam(name: string, value: unknown): unknown {
  const isPlain = typeof value === 'number' || typeof value === 'boolean';
  return isPlain && !SECRET_NAME.test(name) ? value : '…';
}

/** Says where a value came from, in a few words. */
export function describeOrigin(origin: ValueOrigin): string {
  if (origin.kind === 'file') return `${origin.file}:${origin.line}`;
  if (origin.kind === 'default') return 'default';
  return `${origin.kind} ${origin.name}`;
}
