import { contextOf, oneOfEachName } from '../router/deployment.ts';
import type { Deployment, ModelRegistry } from '../router/deployment.ts';
import type { Call } from './call.ts';
import { requireModel } from './resolve-model.ts';
import { restOfPath } from './rest-of-path.ts';

/** `created` of every model: nobody knows it, and LiteLLM's clients expect this constant. */
const CREATED = 1_677_610_602;

/** Creates `GET /v1/models`. */
export function createModelsRoute(registry: ModelRegistry): (call: Call) => void {
  return (call) => {
    const roleOf = rolesOf(registry);
    const data = oneOfEachName(registry.list()).map((deployment) => toModel(deployment, roleOf(deployment)));
    call.json(200, JSON.stringify({ object: 'list', data }));
  };
}

/** Creates `GET /v1/models/{id}`. */
export function createModelRoute(registry: ModelRegistry): (call: Call) => void {
  return (call) => {
    const { deployment } = requireModel(registry, restOfPath(call).normalize('NFC'));
    call.json(200, JSON.stringify(toModel(deployment, rolesOf(registry)(deployment))));
  };
}

type Role = 'chat' | 'embedding';

/** What a model is used for where a request names none. */
function rolesOf(registry: ModelRegistry): (deployment: Deployment) => Role | undefined {
  const chat = registry.defaultChat()?.modelName;
  const embedding = registry.defaultEmbedding()?.modelName;
  return ({ modelName }) => (modelName === chat ? 'chat' : modelName === embedding ? 'embedding' : undefined);
}

/** OpenAI's four fields, LiteLLM's `mode` and `max_input_tokens`, and ours. */
function toModel(deployment: Deployment, role: Role | undefined): Readonly<Record<string, unknown>> {
  const { capabilities } = deployment;
  const { tools, vision, thinking } = capabilities;
  const context = contextOf(capabilities);
  return {
    id: deployment.modelName,
    object: 'model',
    created: CREATED,
    owned_by: ownerOf(deployment),
    mode: capabilities.embedding === true && capabilities.chat !== true ? 'embedding' : 'chat',
    ...(context === undefined ? {} : { max_input_tokens: context }),
    // What nobody said is left out of the JSON.
    capabilities: { tools, vision, thinking },
    source: deployment.source,
    ...(role === undefined ? {} : { default: role }),
  };
}

function ownerOf({ dialect }: Deployment): string {
  return dialect === 'vault' || dialect === 'extractive' ? 'obelisk' : dialect;
}
