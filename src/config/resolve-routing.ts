import type { ConfigFile, ModelEntryFile } from './config-file.ts';
import type { Picker } from './pick.ts';
import { MOST_RETRIES } from './routing-schema.ts';
import type { LitellmStrategy } from './routing-schema.ts';
import type { DeploymentRouting, RoutingSettings, RoutingStrategy, UpstreamTimeouts } from './settings.ts';

const DEFAULT_RETRIES = 2;

/** LiteLLM's strategies by what they become. */
const NEAREST: Readonly<Record<LitellmStrategy, RoutingStrategy>> = {
  'simple-shuffle': 'simple-shuffle',
  'least-busy': 'least-busy',
  // All three look for the deployment with the most room left, by figures that lag behind.
  'usage-based-routing': 'least-busy',
  'usage-based-routing-v2': 'least-busy',
  'latency-based-routing': 'least-busy',
  'cost-based-routing': 'simple-shuffle',
};

/** Resolves how requests are spread, from `router_settings`, `litellm_settings` and `upstream`. */
export function resolveRouting(file: ConfigFile, picker: Picker): RoutingSettings {
  const { router_settings: router = {}, litellm_settings: litellm = {} } = file;
  const at = (key: string): readonly string[] => ['router_settings', key];
  const strategy = picker.pick(
    'router_settings.routing_strategy',
    [picker.file(at('routing_strategy'), router.routing_strategy)],
    'simple-shuffle',
  );
  const retries = picker.pick(
    'router_settings.num_retries',
    [
      picker.file(at('num_retries'), router.num_retries),
      picker.file(['litellm_settings', 'num_retries'], litellm.num_retries),
    ],
    DEFAULT_RETRIES,
  );
  const cooldown = optional(picker, at('cooldown_time'), router.cooldown_time);
  const allowedFails = optional(picker, at('allowed_fails'), router.allowed_fails);
  const retryAfter = picker.pick(
    'router_settings.retry_after',
    [picker.file(at('retry_after'), router.retry_after)],
    0,
  );
  return {
    strategy: NEAREST[strategy],
    retries: Math.min(retries, MOST_RETRIES),
    ...(cooldown === undefined ? {} : { cooldownMs: cooldown * 1_000 }),
    ...(allowedFails === undefined ? {} : { allowedFails }),
    retryAfterMs: retryAfter * 1_000,
    timeouts: resolveTimeouts(file, picker),
  };
}

function resolveTimeouts(file: ConfigFile, picker: Picker): UpstreamTimeouts {
  const { connect, first_byte: firstByte, idle, total } = file.upstream?.timeouts ?? {};
  const at = (key: string): readonly string[] => ['upstream', 'timeouts', key];
  const totalSeconds = picker.pick<number | undefined>(
    'upstream.timeouts.total',
    [
      picker.file(at('total'), total),
      picker.file(['router_settings', 'timeout'], file.router_settings?.timeout),
      picker.file(['litellm_settings', 'request_timeout'], file.litellm_settings?.request_timeout),
    ],
    undefined,
  );
  return {
    ...milliseconds('connectMs', optional(picker, at('connect'), connect)),
    ...milliseconds('firstByteMs', optional(picker, at('first_byte'), firstByte)),
    ...milliseconds('idleMs', optional(picker, at('idle'), idle)),
    ...milliseconds('totalMs', totalSeconds),
  };
}

/** Reads what an entry of `model_list` says of its own routing; undefined where it says nothing. */
export function routingOf({ litellm_params: params }: ModelEntryFile): DeploymentRouting | undefined {
  const retries = params.num_retries;
  const routing: DeploymentRouting = {
    ...number('weight', params.weight),
    ...number('rpm', params.rpm),
    ...number('tpm', params.tpm),
    ...number('maxParallelRequests', params.max_parallel_requests),
    ...number('retries', retries === undefined ? undefined : Math.min(retries, MOST_RETRIES)),
    ...number('allowedFails', params.allowed_fails),
    ...milliseconds('cooldownMs', params.cooldown_time),
    ...milliseconds('timeoutMs', params.timeout),
    ...milliseconds('streamTimeoutMs', params.stream_timeout),
  };
  return Object.keys(routing).length === 0 ? undefined : routing;
}

/** What a person should know of settings that could not be followed to the letter. */
export function routingNotices(file: ConfigFile): readonly string[] {
  const { routing_strategy: strategy, num_retries: routerRetries } = file.router_settings ?? {};
  const notices: string[] = [];
  if (strategy !== undefined && NEAREST[strategy] !== strategy) {
    notices.push(
      `router_settings.routing_strategy: Obelisk has no ${strategy} and uses ${NEAREST[strategy]} instead`,
    );
  }
  const asked = [
    routerRetries,
    file.litellm_settings?.num_retries,
    ...(file.model_list ?? []).map((entry) => entry.litellm_params.num_retries),
  ];
  if (asked.some((retries) => retries !== undefined && retries > MOST_RETRIES))
    notices.push(`num_retries: a request is tried again ${MOST_RETRIES} times at most`);
  return notices;
}

function optional(picker: Picker, path: readonly string[], value: number | undefined): number | undefined {
  return picker.pick<number | undefined>(path.join('.'), [picker.file(path, value)], undefined);
}

function number<Key extends string>(key: Key, value: number | undefined): { readonly [key in Key]?: number } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in Key]?: number });
}

function milliseconds<Key extends string>(
  key: Key,
  seconds: number | undefined,
): { readonly [key in Key]?: number } {
  return number(key, seconds === undefined ? undefined : seconds * 1_000);
}
