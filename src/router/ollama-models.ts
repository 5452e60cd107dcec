import type { FleetEntry } from '../ollama/fleet/fleet.ts';
import type { OllamaModel } from '../ollama/fleet/model-facts.ts';
import { isLocalUrl } from '../shared/local-host.ts';

import type { Deployment, ModelCapabilities } from './deployment.ts';

/**
 * Makes the deployments of a model of the fleet, one for each host that has it. `several`: the
 * configuration lists several hosts, which are told apart by name.
 */
export function toOllamaDeployments({ model, hosts }: FleetEntry, several: boolean): readonly Deployment[] {
  const { name, remoteHost } = model;
  // Whoever wants a text to stay near asks for the model, not for one of its hosts.
  const local = remoteHost === undefined && hosts.every(({ url }) => isLocalUrl(url));
  return hosts.map((host) => ({
    id: several ? `ollama/${host.name}/${name}` : `ollama/${name}`,
    modelName: name,
    dialect: 'ollama',
    model: name,
    baseUrl: host.url,
    defaults: {},
    capabilities: ollamaCapabilities(host.discovery.model(name) ?? model),
    source:
      remoteHost === undefined ? `ollama ${host.url}` : `ollama ${host.url}, forwarded to ${remoteHost}`,
    local,
  }));
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
