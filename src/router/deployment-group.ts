import { createHash } from 'node:crypto';
import type { DeploymentRouting, RoutingSettings } from '../config/settings.ts';
import type { HostPlace, HostPlacement } from '../ollama/placement/placement.ts';
import { clocksOf } from './clocks.ts';
import type { DeploymentClocks } from './clocks.ts';
import type { Deployment } from './deployment.ts';
import type { DeploymentLimits, DeploymentState } from './deployment-state.ts';

/** A deployment with all that its choice depends on, worked out once. */
export type Member = {
  readonly deployment: Deployment;
  readonly state: DeploymentState;
  readonly limits: DeploymentLimits;
  /** Part of the requests, relative to the others of the group; 0 is asked only where no other can be. */
  readonly share: number;
  readonly clocks: DeploymentClocks;
  /** Attempts after the first that a request beginning here may have. */
  readonly retries: number;
  /** How long it is left alone after a failure, where that is configured. */
  readonly cooldownMs: number | undefined;
  /** Failures in a row at which it is left alone. */
  readonly tolerance: number;
  /** Where it is in the fleet of Ollama hosts, where all of the group are. */
  readonly place?: HostPlace;
};

/** The deployments of one name. */
export type Group = readonly Member[];

/** Whether a member is neither left alone, nor disabled, nor at a limit, nor among those tried. */
export function mayBeAsked(member: Member, nowMs: number, tried: readonly Member[] | undefined): boolean {
  const { state, limits } = member;
  return (
    !state.disabled &&
    state.cooledUntilMs <= nowMs &&
    !state.isSpent(limits, nowMs) &&
    tried?.includes(member) !== true
  );
}

/** Failures in a row that open the breaker (the fifth does). */
const TOLERANCE = 5;

/** What a group is made with. */
export type GroupSources = {
  readonly settings: RoutingSettings;
  /** Finds what is known of a deployment by its key. */
  readonly stateOf: (key: string, id: string) => DeploymentState;
  readonly placement?: HostPlacement | undefined;
};

/** Makes the group of some deployments. */
export function toGroup(
  deployments: readonly Deployment[],
  { settings, stateOf, placement }: GroupSources,
): Group {
  const shares = sharesOf(deployments);
  const places = placesOf(deployments, placement);
  const known = new Map<string, number>();
  return deployments.map((deployment, index) => {
    const key = keyOf(deployment);
    const copy = known.get(key) ?? 0;
    known.set(key, copy + 1);
    const place = places[index];
    const { routing = {} } = deployment;
    const allowedFails = routing.allowedFails ?? settings.allowedFails;
    return {
      deployment,
      state: stateOf(`${key} ${copy}`, deployment.id),
      limits: {
        rpm: routing.rpm ?? Infinity,
        tpm: routing.tpm ?? Infinity,
        maxParallelRequests: routing.maxParallelRequests ?? Infinity,
      },
      share: shares[index] ?? 1,
      clocks: clocksOf(deployment, settings.timeouts),
      retries: routing.retries ?? settings.retries,
      cooldownMs: routing.cooldownMs ?? settings.cooldownMs,
      tolerance: allowedFails === undefined ? TOLERANCE : allowedFails + 1,
      ...(place === undefined ? {} : { place }),
    };
  });
}

/** A group of the fleet's hosts alone is chosen among by what is known of them, unless shares are configured. */
function placesOf(
  deployments: readonly Deployment[],
  placement: HostPlacement | undefined,
): readonly HostPlace[] {
  if (placement === undefined || deployments.some(hasShare)) return [];
  const places = deployments
    .filter(({ dialect, mockResponse }) => dialect === 'ollama' && mockResponse === undefined)
    .map((deployment) => placement.placeOf(deployment))
    .filter((place) => place !== undefined);
  return places.length === deployments.length ? places : [];
}

function hasShare({ routing }: Deployment): boolean {
  return routing !== undefined && SHARE_KEYS.some((key) => routing[key] !== undefined);
}

const SHARE_KEYS = ['weight', 'rpm', 'tpm'] as const;

/**
 * Shares as LiteLLM's simple-shuffle has them: by `weight` where there is one, else by `rpm`, else
 * by `tpm`, else equal. Whoever lacks what the others have gets no share.
 */
function sharesOf(deployments: readonly Deployment[]): readonly number[] {
  const by = SHARE_KEYS.find((key: keyof DeploymentRouting) =>
    deployments.some(({ routing }) => routing?.[key] !== undefined),
  );
  return deployments.map(({ routing }) => (by === undefined ? 1 : (routing?.[by] ?? 0)));
}

/**
 * What makes a deployment the same after a reload: where it leads and with which key, not its line in
 * the file. Every name that a pattern covers has the state of the pattern.
 */
function keyOf({ id, dialect, baseUrl, model, apiKey }: Deployment): string {
  const entry = id.replace(/#\d+$/, '');
  const key = apiKey === undefined ? '' : createHash('sha256').update(apiKey.reveal()).digest('base64url');
  return [entry, dialect, baseUrl, entry.includes('*') ? '' : model, key].join(' ');
}
