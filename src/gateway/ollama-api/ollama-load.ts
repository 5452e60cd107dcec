import type { ChatRequest } from '../../providers/chat.ts';
import type { OllamaLoader, RunnerChanged } from '../../ollama/loader.ts';
import type { Balancer } from '../../router/balancer.ts';
import type { Deployment } from '../../router/deployment.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Call } from '../call.ts';
import { embedContext } from '../embed-context.ts';
import type { FoundModel } from '../resolve-model.ts';
import { askInTurn } from '../routed-attempts.ts';
import { IGNORED_HEADER } from '../translated-chat.ts';
import { untilGone } from '../until-gone.ts';

/** Who loads the models of deployments that have anything to load. */
export type Loaders = { readonly ollama: (deployment: Deployment) => OllamaLoader };

/** What loading is made of. */
export type LoadOptions = {
  readonly balancer: Balancer;
  readonly metrics: Metrics;
  readonly loaders: Loaders;
};

/** A request that asks nothing of its model but to be there, or to be gone. */
export type RunnerRequest = {
  readonly found: FoundModel;
  readonly request: Pick<ChatRequest, 'keepAlive'>;
  /** Of the answer, whatever it is. */
  readonly headers: Record<string, string>;
};

/**
 * Loads or unloads a model where it is served, and says which. Models from elsewhere are always there:
 * nothing is done for them, and that is all there is to do.
 */
export async function changeRunner(
  call: Call,
  { found, request: { keepAlive }, headers }: RunnerRequest,
  { balancer, metrics, loaders }: LoadOptions,
): Promise<RunnerChanged['to']> {
  if (found.deployment.dialect !== 'ollama') return 'load';
  const change = keepAlive === undefined ? {} : { keepAlive };
  const attempts = balancer.begin(found.group);
  const answering = { attempts, events: undefined, elsewhere: () => undefined };
  const work = (signal: AbortSignal): Promise<RunnerChanged | undefined> =>
    askInTurn(
      { call, answering, metrics },
      {
        prepare: (deployment) => () =>
          deployment.dialect === 'ollama'
            ? loaders.ollama(deployment)(change, signal, embedContext(call, attempts, headers))
            : Promise.resolve({ to: 'load', ignored: [] }),
        usageOf: () => ({ promptTokens: 0, completionTokens: 0 }),
        passes: () => false,
      },
      signal,
    );
  const changed = await untilGone(call, work, headers);
  if (changed === undefined) throw new Error('no deployment was left to be passed through');
  if (changed.ignored.length > 0) headers[IGNORED_HEADER] = changed.ignored.join(', ');
  return changed.to;
}
