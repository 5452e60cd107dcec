import { createHash } from 'node:crypto';
import type { OllamaRunning, OllamaShow, OllamaTag } from '../../ollama/api/api-types.ts';
import type { OllamaClient } from '../../ollama/api/client.ts';
import { ollamaModelKey } from '../../shared/ollama-model-name.ts';
import { contextOf, oneOfEachName } from '../../router/deployment.ts';
import type { Deployment, ModelRegistry } from '../../router/deployment.ts';
import { isObeliskError } from '../../shared/errors.ts';

/** Gives the client of a host of Ollama by its base URL. */
export type OllamaClientOf = (baseUrl: string) => Pick<OllamaClient, 'tags' | 'show' | 'ps'>;

/** Every model of the gateway as Ollama lists its own. */
export type Catalogue = {
  tags(signal: AbortSignal): Promise<readonly object[]>;
  show(deployment: Deployment, ask: ShowAsk, signal: AbortSignal): Promise<object>;
  running(signal: AbortSignal): Promise<readonly object[]>;
};

/** What of a model is wanted. */
export type ShowAsk = { readonly verbose: boolean };

/** When a model from elsewhere was changed nobody says; this is what `/v1/models` has as `created`. */
const MODIFIED = '2023-02-28T17:56:42Z';

/** Creates the catalogue. Hosts of Ollama are looked at for each answer; one that fails is left out. */
export function createCatalogue(registry: ModelRegistry, clientOf: OllamaClientOf): Catalogue {
  return {
    async tags(signal) {
      const deployments = oneOfEachName(registry.list());
      const tags = await tagsOf(deployments, clientOf, signal);
      return deployments.map((deployment) => toEntry(deployment, tags.get(placeOf(deployment))));
    },
    async show(deployment, { verbose }, signal) {
      if (deployment.dialect !== 'ollama') return toShow(deployment);
      const client = clientOf(deployment.baseUrl);
      return withoutNothing(await client.show({ model: deployment.model, verbose }, signal));
    },
    async running(signal) {
      const local = ollamaOf(registry.list());
      const names = namesOf(local);
      const lists = await ofEachHost(local, async (baseUrl) => {
        const running = await clientOf(baseUrl).ps(signal);
        return running.flatMap((model) =>
          toRunning(model, names.get(placeOf({ baseUrl, model: model.name }))),
        );
      });
      return lists.flat();
    },
  };
}

function ollamaOf(deployments: readonly Deployment[]): readonly Deployment[] {
  return deployments.filter(({ dialect }) => dialect === 'ollama');
}

/** The name of a model at its place: its own before any other that it was given. */
function namesOf(deployments: readonly Deployment[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const deployment of deployments) {
    const { modelName, model } = deployment;
    const place = placeOf(deployment);
    const isOwn = ollamaModelKey(modelName) === ollamaModelKey(model);
    if (isOwn || !names.has(place)) names.set(place, modelName);
  }
  return names;
}

function placeOf({ baseUrl, model }: Pick<Deployment, 'baseUrl' | 'model'>): string {
  return `${baseUrl} ${ollamaModelKey(model)}`;
}

/** What each host says of its models, by place. */
async function tagsOf(
  deployments: readonly Deployment[],
  clientOf: OllamaClientOf,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, OllamaTag>> {
  const lists = await ofEachHost(ollamaOf(deployments), async (baseUrl) => {
    const tags = await clientOf(baseUrl).tags(signal);
    return tags.map((tag) => [placeOf({ baseUrl, model: tag.name }), tag] as const);
  });
  return new Map(lists.flat());
}

/** Asks every host once; what one of them does not say is no reason to say nothing of the others. */
async function ofEachHost<T>(
  deployments: readonly Deployment[],
  ask: (baseUrl: string) => Promise<readonly T[]>,
): Promise<readonly (readonly T[])[]> {
  const hosts = new Set(deployments.map(({ baseUrl }) => baseUrl));
  return Promise.all(
    [...hosts].map(async (baseUrl) => {
      try {
        return await ask(baseUrl);
      } catch (error) {
        if (isObeliskError(error)) return [];
        throw error;
      }
    }),
  );
}

function toEntry(deployment: Deployment, tag: OllamaTag | undefined): object {
  const { modelName } = deployment;
  const capabilities = tag?.capabilities ?? capabilitiesOf(deployment);
  if (tag) {
    const { name: _name, details, ...more } = tag;
    const own = { ...detailsOf(deployment), ...withoutNothing(details ?? {}) };
    return { name: modelName, model: modelName, ...withoutNothing(more), details: own, capabilities };
  }
  return {
    name: modelName,
    model: modelName,
    modified_at: MODIFIED,
    size: 0,
    // Clients keep models apart by it.
    digest: createHash('sha256').update(`${deployment.dialect} ${modelName}`).digest('hex'),
    details: detailsOf(deployment),
    capabilities,
  };
}

function detailsOf({ dialect }: Deployment): object {
  const family = dialect === 'ollama' ? '' : dialect;
  return {
    parent_model: '',
    format: family,
    family,
    families: family === '' ? [] : [family],
    parameter_size: '',
    quantization_level: '',
  };
}

/** In Ollama's words. What nobody said is not claimed, but that a model can chat. */
function capabilitiesOf({ capabilities }: Deployment): readonly string[] {
  const { chat, embedding, tools, vision, thinking } = capabilities;
  const known: readonly (readonly [string, boolean])[] = [
    ['completion', chat ?? embedding !== true],
    ['embedding', embedding === true],
    ['tools', tools === true],
    ['vision', vision === true],
    ['thinking', thinking === true],
  ];
  return known.filter(([, has]) => has).map(([name]) => name);
}

function toShow(deployment: Deployment): OllamaShow {
  const { dialect, modelName, capabilities } = deployment;
  const context = contextOf(capabilities);
  return {
    modelfile: `# ${modelName} is served by Obelisk and no model of an Ollama.\n`,
    parameters: '',
    template: '{{ .Prompt }}',
    details: detailsOf(deployment),
    model_info: {
      'general.architecture': dialect,
      'general.basename': modelName,
      ...(context === undefined ? {} : { [`${dialect}.context_length`]: context }),
    },
    capabilities: capabilitiesOf(deployment),
    modified_at: MODIFIED,
  };
}

/** A model that the gateway does not have under any name is nobody's business. */
function toRunning(model: OllamaRunning, modelName: string | undefined): readonly object[] {
  return modelName === undefined ? [] : [{ ...withoutNothing(model), name: modelName, model: modelName }];
}

/** Ollama leaves out what is not there; `null` is something to its clients. */
function withoutNothing(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  );
}
