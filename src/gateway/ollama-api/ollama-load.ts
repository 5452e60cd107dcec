import type { ChatRequest } from '../../providers/chat.ts';
import type { OllamaLoader, RunnerChanged } from '../../ollama/loader.ts';
import type { Deployment } from '../../router/deployment.ts';
import type { Call } from '../call.ts';
import type { FoundModel } from '../resolve-model.ts';
import { IGNORED_HEADER } from '../../providers/ignored-header.ts';
import { askGroup } from './ask-group.ts';
import type { AskOptions, GroupQuestion } from './ask-group.ts';

/** Who loads the models of deployments that have anything to load. */
export type Loaders = { readonly ollama: (deployment: Deployment) => OllamaLoader };

/** What loading is made of. */
export type LoadOptions = AskOptions & { readonly loaders: Loaders };

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
  options: LoadOptions,
): Promise<RunnerChanged['to']> {
  if (found.deployment.dialect !== 'ollama') return 'load';
  const change = keepAlive === undefined ? {} : { keepAlive };
  const question: GroupQuestion<RunnerChanged> = {
    found,
    headers,
    prepare: (deployment) => (signal, context) =>
      deployment.dialect === 'ollama'
        ? options.loaders.ollama(deployment)(change, signal, context)
        : Promise.resolve({ to: 'load', ignored: [] }),
    usageOf: () => ({ promptTokens: 0, completionTokens: 0 }),
  };
  const { to, ignored } = await askGroup(call, question, options);
  if (ignored.length > 0) headers[IGNORED_HEADER] = ignored.join(', ');
  return to;
}
