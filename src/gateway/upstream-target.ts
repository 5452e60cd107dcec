import type { Deployment } from '../router/deployment.ts';
import type { Headers } from '../wire/http.ts';
import { LOCAL_CLOCKS, REMOTE_CLOCKS } from '../wire/upstream.ts';
import type { Clocks } from '../wire/upstream.ts';
import { HOP_HEADER } from './hops.ts';

/** What every request to one deployment has in common, worked out once. */
export type UpstreamTarget = {
  readonly origin: string;
  /** Path of the base URL, without a slash at its end. */
  readonly basePath: string;
  readonly headers: Headers;
  readonly clocks: Clocks;
  /** Who it is, for messages. */
  readonly name: string;
  /** JSON of the configuration's defaults by field, spliced in where a request is silent. */
  readonly defaults: ReadonlyMap<string, string>;
  /** Takes the deployment's key out of what the upstream said, which some repeat in their errors. */
  readonly redact: (text: string) => string;
};

const SHORTEST_SECRET = 8;

/** Gives the target of an OpenAI-compatible deployment. */
export type TargetOf = (deployment: Deployment) => UpstreamTarget;

/** Creates the look-up. Targets live as long as the registry keeps their deployment. */
export function createTargets(instanceId: string): TargetOf {
  const known = new WeakMap<Deployment, UpstreamTarget>();
  return (deployment) => {
    let target = known.get(deployment);
    if (!target) {
      target = toTarget(deployment, instanceId);
      known.set(deployment, target);
    }
    return target;
  };
}

function toTarget(deployment: Deployment, instanceId: string): UpstreamTarget {
  const url = new URL(deployment.baseUrl);
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'user-agent': 'obelisk',
      [HOP_HEADER]: instanceId,
      ...(deployment.apiKey ? { authorization: `Bearer ${deployment.apiKey.reveal()}` } : {}),
    },
    clocks: deployment.local ? LOCAL_CLOCKS : REMOTE_CLOCKS,
    name: `${deployment.modelName} (${deployment.baseUrl})`,
    defaults: new Map(
      Object.entries(deployment.defaults).map(([field, value]) => [field, JSON.stringify(value)]),
    ),
    redact: redactorOf(deployment),
  };
}

/** A key of a few letters (`none`, `x`) is no secret and would tear words apart. */
function redactorOf({ apiKey }: Deployment): (text: string) => string {
  const key = apiKey?.reveal() ?? '';
  return key.length < SHORTEST_SECRET ? (text) => text : (text) => text.replaceAll(key, '[secret]');
}
