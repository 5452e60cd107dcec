import { ObeliskError } from '../shared/errors.ts';
import type { Deployment, ModelRegistry } from '../router/deployment.ts';
import type { Call } from './call.ts';
import { modelNotFound } from './resolve-model.ts';

/** `created` of every model: nobody knows it, and LiteLLM's clients expect this constant. */
const CREATED = 1_677_610_602;

/** Creates `GET /v1/models`. */
export function createModelsRoute(registry: ModelRegistry): (call: Call) => void {
  return (call) => {
    // A model group has several deployments under one name, which is listed once.
    const byName = new Map<string, Deployment>();
    for (const deployment of registry.list()) {
      if (!byName.has(deployment.modelName)) byName.set(deployment.modelName, deployment);
    }
    const data = [...byName.values()].map(toModel);
    call.json(200, JSON.stringify({ object: 'list', data }));
  };
}

/**
 * Creates `GET /v1/models/{id}`; ids hold `/` and `:`, so they take the rest of the path.
 *
 * @param prefix Path before the id: `/v1/models/`.
 */
export function createModelRoute(registry: ModelRegistry, prefix: string): (call: Call) => void {
  return (call) => {
    const id = decodeId(call.request.path.slice(prefix.length));
    const resolution = registry.resolve(id);
    if (resolution.kind === 'unknown') throw modelNotFound(id, resolution.nearest);
    if (resolution.kind === 'away') {
      const { model, host, remedy } = resolution;
      throw new ObeliskError(
        'model_unavailable',
        `the model ${model} is known, but ${host} is away; ${remedy}`,
      );
    }
    call.json(200, JSON.stringify(toModel(resolution.deployment)));
  };
}

function decodeId(raw: string): string {
  try {
    return decodeURIComponent(raw).normalize('NFC');
  } catch (error) {
    throw new ObeliskError('invalid_request', 'the model id in the path is not valid percent-encoding', {
      cause: error,
    });
  }
}

function toModel(deployment: Deployment): Readonly<Record<string, unknown>> {
  const { capabilities } = deployment;
  return {
    id: deployment.modelName,
    object: 'model',
    created: CREATED,
    owned_by: ownerOf(deployment),
    mode: capabilities.embedding === true && capabilities.chat !== true ? 'embedding' : 'chat',
    ...(capabilities.contextLength === undefined ? {} : { max_input_tokens: capabilities.contextLength }),
  };
}

function ownerOf({ dialect }: Deployment): string {
  return dialect === 'vault' || dialect === 'extractive' ? 'obelisk' : dialect;
}
