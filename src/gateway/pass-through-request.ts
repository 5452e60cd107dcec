import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { freeBodyMemory } from '../wire/body-memory.ts';
import type { Scan } from '../wire/json-scan.ts';
import { splice } from '../wire/json-splice.ts';
import type { MemberChanges } from '../wire/json-splice.ts';
import type { Body, Clocks, Exchange, UpstreamClient, UpstreamRequest } from '../wire/upstream.ts';
import type { Answering } from './answering.ts';
import type { Heartbeat } from './event-stream.ts';
import { HOP_HEADER } from './hops.ts';
import type { TargetOf, UpstreamTarget } from './upstream-target.ts';

/** What passing through needs beside the request. */
export type PassThroughDependencies = {
  readonly upstream: UpstreamClient;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly heartbeat: Heartbeat;
  readonly targetOf: TargetOf;
  /** Milliseconds since the epoch. */
  readonly unixMs: () => number;
};

/** One request on its way to upstreams of the same dialect. */
export type PassThroughRequest = {
  readonly answering: Answering;
  /** Below the base URL: `/chat/completions`. */
  readonly path: string;
  /** The client's body; each deployment has its own model's name and defaults spliced in. */
  readonly scan: Scan;
  /** The model as the body names it. */
  readonly asked: unknown;
  /** JSON by field, whatever the body has. */
  readonly set?: MemberChanges | undefined;
  /** The key that only an answer has. */
  readonly proof: 'choices' | 'data';
  readonly stream: boolean;
  /** Whether usage was asked for by us and not by the client. */
  readonly stripUsage: boolean;
  /** Whether more than one answer was asked for (`n`). */
  readonly several: boolean;
};

/**
 * Makes the body for one deployment: its own name for the model and its defaults are spliced in,
 * everything else stays byte for byte.
 */
export function bodyFor({ scan, asked, set }: PassThroughRequest, target: UpstreamTarget): Body {
  const changes: Record<string, string | null> = set === undefined ? {} : { ...set };
  if (asked !== target.model) changes['model'] = target.modelJson;
  for (const [field, json] of target.defaults) {
    if (!scan.members.has(field)) changes[field] ??= json;
  }
  for (const _field in changes) return splice(scan, changes);
  return scan.body;
}

/** Frees the memory of a request's body, unless the system may still be sending from it. */
export function freeSent({ answering, scan }: PassThroughRequest, exchange: Exchange | undefined): void {
  // An earlier attempt may have been cut off in the middle of sending it.
  if (answering.attempts.made === 1 && exchange?.sent === true) freeBodyMemory(scan.body);
}

/** Makes the request to one deployment. */
export function toUpstreamRequest(
  { origin, basePath, headers }: UpstreamTarget,
  sent: { readonly path: string; readonly hops: string; readonly body: Body; readonly clocks: Clocks },
): UpstreamRequest {
  const { path, hops, body, clocks } = sent;
  return {
    origin,
    path: basePath + path,
    method: 'POST',
    headers: hops === '' ? headers : { ...headers, [HOP_HEADER]: `${hops},${headers[HOP_HEADER]}` },
    body,
    clocks,
  };
}
