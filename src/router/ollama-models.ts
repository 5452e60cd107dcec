import type { OllamaModel } from '../ollama/model-facts.ts';
import { isLocalUrl } from '../shared/local-host.ts';

import type { Deployment, ModelCapabilities } from './deployment.ts';

/** Makes the deployment of a model that was found in Ollama. */
export function toOllamaDeployment(model: OllamaModel, baseUrl: string): Deployment {
  const remote = model.remoteHost;
  return {
    id: `ollama/${model.name}`,
    modelName: model.name,
    dialect: 'ollama',
    model: model.name,
    baseUrl,
    defaults: {},
    capabilities: ollamaCapabilities(model),
    source: remote === undefined ? `ollama ${baseUrl}` : `ollama ${baseUrl}, forwarded to ${remote}`,
    local: remote === undefined && isLocalUrl(baseUrl),
  };
}

/** What a model found in Ollama can do. */
export function ollamaCapabilities(model: OllamaModel): ModelCapabilities {
  const { chat, embedding, tools, vision, thinking, contextLength } = model;
  return {
    chat,
    embedding,
    tools,
    vision,
    thinking,
    ...(contextLength === undefined ? {} : { contextLength }),
  };
}
