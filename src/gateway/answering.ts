import type { Attempts } from '../router/attempts.ts';
import type { Deployment } from '../router/deployment.ts';
import type { EventStream } from './event-stream.ts';

/** What the ways of answering one request hand to each other when a deployment of another kind is next. */
export type Answering = {
  readonly attempts: Attempts;
  /** The client's stream, once somebody has opened it: it may have shown signs of life already. */
  events: EventStream | undefined;
  /** Goes on with the deployment whose turn it is now. */
  readonly elsewhere: () => void;
};

/** Whether a deployment's dialect is the client's own. */
export function isPassedThrough(deployment: Deployment): boolean {
  return deployment.dialect === 'openai' && deployment.mockResponse === undefined;
}

/** Whether answers come from outside, so that attempts are counted, limited and tried again. */
export function isUpstream({ dialect }: Deployment): boolean {
  return dialect === 'openai' || dialect === 'ollama';
}
