import type { EmbedContext, Usage } from '../../providers/chat.ts';
import type { Balancer } from '../../router/balancer.ts';
import type { Deployment } from '../../router/deployment.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Call } from '../call.ts';
import { embedContext } from '../embed-context.ts';
import type { FoundModel } from '../resolve-model.ts';
import { askInTurn } from '../routed-attempts.ts';
import { untilGone } from '../until-gone.ts';

/** What asking is made of. */
export type AskOptions = { readonly balancer: Balancer; readonly metrics: Metrics };

/** What is asked of the deployments of a name. */
export type GroupQuestion<T> = {
  readonly found: FoundModel;
  /** Of the answer, whatever it is; a deployment that is asked adds its own. */
  readonly headers: Record<string, string>;
  /** Prepares the question, which may show that it is none; what it gives asks the deployment. */
  prepare(deployment: Deployment): (signal: AbortSignal, context: EmbedContext) => Promise<T>;
  usageOf(answer: T): Usage;
};

/**
 * Asks the deployments of a name until one has answered, for a client of Ollama's API: whatever their
 * dialect, none is passed through.
 * @throws What the client is told.
 */
export async function askGroup<T extends object>(
  call: Call,
  { found, headers, prepare, usageOf }: GroupQuestion<T>,
  { balancer, metrics }: AskOptions,
): Promise<T> {
  const attempts = balancer.begin(found.group);
  const answering = { attempts, events: undefined, elsewhere: () => undefined };
  const work = (signal: AbortSignal): Promise<T | undefined> =>
    askInTurn(
      { call, answering, metrics },
      {
        prepare(deployment) {
          const ask = prepare(deployment);
          return () => ask(signal, embedContext(call, attempts, headers));
        },
        usageOf,
        passes: () => false,
      },
      signal,
    );
  const answer = await untilGone(call, work, headers);
  if (answer === undefined) throw new Error('no deployment was left to be passed through');
  return answer;
}
