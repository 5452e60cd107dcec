import { ObeliskError } from '../shared/errors.ts';
import type { Embedder } from '../providers/chat.ts';
import { parseEmbeddingRequest, toEmbeddingBody } from '../providers/openai/embedding-body.ts';
import type { Deployment, ModelRegistry } from '../router/deployment.ts';
import type { Call } from './call.ts';
import { passThrough } from './pass-through.ts';
import type { PassThroughDependencies } from './pass-through.ts';
import { parseWithDefaults, readJsonBody, spliceBody } from './request-body.ts';
import { resolveModel } from './resolve-model.ts';
import type { TargetOf } from './upstream-target.ts';

/** Who makes the embeddings of deployments that do not speak OpenAI's dialect. */
export type Embedders = { readonly ollama: (deployment: Deployment) => Embedder };

/** What the embeddings route is made of. */
export type EmbeddingsRouteOptions = PassThroughDependencies & {
  readonly registry: ModelRegistry;
  readonly embedders: Embedders;
  readonly targetOf: TargetOf;
};

/** Creates `POST /v1/embeddings`. */
export function createEmbeddingsRoute(options: EmbeddingsRouteOptions): (call: Call) => Promise<void> {
  return async (call) => {
    const scan = await readJsonBody(call.request);
    const asked = scan.value('model');
    const deployment = resolveModel(options.registry, asked, 'embedding');
    call.model = deployment.modelName;
    call.deploymentId = deployment.id;
    if (deployment.dialect === 'openai' && deployment.mockResponse === undefined) {
      const target = options.targetOf(deployment);
      const body = spliceBody(scan, { asked, model: deployment.model, defaults: target.defaults });
      const path = '/embeddings';
      passThrough(call, { target, path, body, proof: 'data', stream: false, stripUsage: false }, options);
      return;
    }
    if (deployment.dialect !== 'ollama') throw noEmbeddings(deployment);
    await embed(call, parseWithDefaults(scan, deployment.defaults), options.embedders.ollama(deployment));
  };
}

async function embed(call: Call, json: unknown, embedder: Embedder): Promise<void> {
  const { request, encoding } = parseEmbeddingRequest(json);
  const controller = new AbortController();
  const stopWatching = call.onGone(() => {
    controller.abort();
    call.settle('client_gone');
  });
  call.interrupted = (error) => {
    call.fail(error);
    controller.abort(error);
  };
  try {
    const result = await embedder(request, controller.signal);
    call.usage = { promptTokens: result.promptTokens, completionTokens: 0 };
    call.json(200, toEmbeddingBody(result, request.model, encoding));
  } finally {
    stopWatching();
  }
}

function noEmbeddings(deployment: Deployment): ObeliskError {
  return new ObeliskError('unsupported', `${deployment.modelName} makes no embeddings`, { param: 'model' });
}
