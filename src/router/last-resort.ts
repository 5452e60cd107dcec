import { ObeliskError } from '../shared/errors.ts';
import type { Group, Member } from './deployment-group.ts';

/** Milliseconds until some member may have room again, of those that are at a limit; undefined where none is. */
export function nearestRoomMs(group: Group, nowMs: number): number | undefined {
  let nearest: number | undefined;
  for (const { state, limits } of group) {
    const roomMs = state.disabled ? undefined : state.roomInMs(limits, nowMs);
    if (roomMs !== undefined && (nearest === undefined || roomMs < nearest)) nearest = roomMs;
  }
  return nearest;
}

/**
 * Chooses where no member may be asked in the usual way. Limits are kept. A group that is only left
 * alone because it failed is asked all the same, once a request, the member that has waited longest
 * first: its server may be back, and a refusal would answer nobody.
 *
 * @throws ObeliskError `rate_limited` with the time after which there is room, `upstream_auth`.
 */
export function chooseLastResort(group: Group, nowMs: number): Member {
  const roomMs = nearestRoomMs(group, nowMs);
  if (roomMs !== undefined) throw atLimit(group, roomMs);
  let best: Member | undefined;
  for (const member of group) {
    if (member.state.disabled) continue;
    if (best === undefined || member.state.cooledUntilMs < best.state.cooledUntilMs) best = member;
  }
  if (best === undefined) throw keysRefused(group);
  return best;
}

function nameOf(group: Group): string {
  return group[0]?.deployment.modelName ?? 'the model';
}

function atLimit(group: Group, roomMs: number): ObeliskError {
  const which = group.length === 1 ? 'the deployment' : `each of the ${group.length} deployments`;
  return new ObeliskError(
    'rate_limited',
    `${which} of ${nameOf(group)} is at a limit of the configuration, or its upstream has asked to be left alone; try again after the time in retry-after`,
    { retryAfter: Math.max(1, Math.ceil(roomMs / 1_000)) },
  );
}

function keysRefused(group: Group): ObeliskError {
  return new ObeliskError(
    'upstream_auth',
    `${nameOf(group)} is not asked any more: its upstream refused the key it was sent; correct the api_key and reload the configuration`,
  );
}
