import type { Deployment } from '../router/deployment.ts';
import { isPlaceholder } from '../shared/secret.ts';
import type { Headers } from '../wire/http.ts';
import { HOP_HEADER } from './hops.ts';

/** What every request to one deployment has in common, worked out once. */
export type UpstreamTarget = {
  readonly origin: string;
  /** Path of the base URL, without a slash at its end. */
  readonly basePath: string;
  readonly headers: Headers;
  /** Who it is, for messages. */
  readonly name: string;
  /** The upstream's own name for the model. */
  readonly model: string;
  /** The same as JSON. */
  readonly modelJson: string;
  /** JSON of the configuration's defaults by field, spliced in where a request is silent. */
  readonly defaults: ReadonlyMap<string, string>;
  /** Takes the deployment's key out of what the upstream said, which some repeat in their errors. */
  readonly redact: (text: string) => string;
};

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
  const { model } = deployment;
  const defaults = new Map(
    Object.entries(deployment.defaults).map(([field, value]) => [field, JSON.stringify(value)]),
  );
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
    name: `${deployment.modelName} (${deployment.baseUrl})`,
    model,
    modelJson: JSON.stringify(model),
    defaults,
    redact: redactorOf(deployment),
  };
}

/** Whether requests to two targets have the same body. */
export function haveSameBody(one: UpstreamTarget, other: UpstreamTarget): boolean {
  if (one.model !== other.model || one.defaults.size !== other.defaults.size) return false;
  for (const [field, json] of one.defaults) if (other.defaults.get(field) !== json) return false;
  return true;
}

function redactorOf({ apiKey }: Deployment): (text: string) => string {
  if (apiKey === undefined || isPlaceholder(apiKey)) return (text) => text;
  const key = new RegExp(apiKey.reveal().replaceAll(/[^]/g, anySpelling), 'g');
  return (text) => text.replace(key, '[secret]');
}

/** A pattern for a character as it is and as JSON may escape it: many servers write + and / with an escape. */
function anySpelling(character: string): string {
  const plain = character.replace(/\W/, '\\$&');
  const code = character.charCodeAt(0).toString(16).padStart(4, '0');
  const anyCase = code.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  return `(?:\\\\u${anyCase}|${'"\\/'.includes(character) ? '\\\\' : ''}${plain}|${plain})`;
}
