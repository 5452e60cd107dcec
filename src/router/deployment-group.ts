import { createHash } from 'node:crypto';
import type { DeploymentRouting, RoutingSettings } from '../config/settings.ts';
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
};

/** The deployments of one name. */
export type Group = readonly Member[];

/** Failures in a row that open the breaker (the fifth does). */
const TOLERANCE = 5;

/** Makes the group of some deployments. `stateOf` finds what is known of one by its key. */
export function toGroup(
  deployments: readonly Deployment[],
  settings: RoutingSettings,
  stateOf: (key: string, id: string) => DeploymentState,
): Group {
  const shares = sharesOf(deployments);
  const known = new Map<string, number>();
  return deployments.map((deployment, index) => {
    const place = placeOf(deployment);
    const copy = known.get(place) ?? 0;
    known.set(place, copy + 1);
    const { routing = {} } = deployment;
    const allowedFails = routing.allowedFails ?? settings.allowedFails;
    return {
      deployment,
      state: stateOf(`${place} ${copy}`, deployment.id),
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
    };
  });
}

/**
 * Shares as LiteLLM's simple-shuffle has them: by `weight` where there is one, else by `rpm`, else
 * by `tpm`, else equal. Whoever lacks what the others have gets no share.
 */
function sharesOf(deployments: readonly Deployment[]): readonly number[] {
  const by = (['weight', 'rpm', 'tpm'] as const).find((key: keyof DeploymentRouting) =>
    deployments.some(({ routing }) => routing?.[key] !== undefined),
  );
  return deployments.map(({ routing }) => (by === undefined ? 1 : (routing?.[by] ?? 0)));
}

/**
 * What makes a deployment the same after a reload: where it leads and with which key, not its line in
 * the file. Every name that a pattern covers has the state of the pattern.
 */
function placeOf({ id, dialect, baseUrl, model, apiKey }: Deployment): string {
  const entry = id.replace(/#\d+$/, '');
  const key = apiKey === undefined ? '' : createHash('sha256').update(apiKey.reveal()).digest('base64url');
  return [entry, dialect, baseUrl, entry.includes('*') ? '' : model, key].join(' ');
}
