import { Secret } from '../shared/secret.ts';
import { toBaseUrl } from './base-url.ts';
import type { ConfigFile, ModelEntryFile } from './config-file.ts';
import { DEPLOYMENT_KEYS, deploymentKeyHasEffect } from './litellm-keys.ts';
import type { FileFacts, Picker } from './pick.ts';
import { routingOf } from './resolve-routing.ts';
import type { ModelEntry } from './settings.ts';
import type { Environment } from './substitute.ts';

type ResolvingModels = {
  readonly picker: Picker;
  readonly facts: FileFacts;
  readonly environment: Environment;
};

/** Turns `model_list` into entries, and records where each stands. */
export function resolveModels(file: ConfigFile, from: ResolvingModels): readonly ModelEntry[] {
  return (file.model_list ?? []).map((entry, index) => toModelEntry(entry, index, from));
}

function toModelEntry(entry: ModelEntryFile, index: number, from: ResolvingModels): ModelEntry {
  const path = ['model_list', index];
  from.picker.origins.set(`model_list.${index}`, from.picker.fileOrigin(path));
  const line = from.facts?.tree.placeOf(path).line;
  const apiKey = keyOf(entry, index, from);
  const { model, api_base: apiBase, mock_response: mockResponse } = entry.litellm_params;
  const routing = routingOf(entry);
  return {
    modelName: entry.model_name,
    model,
    ...(apiBase === undefined ? {} : { apiBase: toBaseUrl(apiBase) }),
    ...(apiKey === undefined ? {} : { apiKey: new Secret(apiKey) }),
    ...(mockResponse === undefined ? {} : { mockResponse }),
    params: paramsOf(entry),
    modelInfo: entry.model_info ?? {},
    ...(routing === undefined ? {} : { routing }),
    ...(line === undefined ? {} : { line }),
  };
}

/**
 * An entry for OpenAI itself may leave its key to `OPENAI_API_KEY`, as with LiteLLM. An entry with
 * an `api_base` may not: the key would go to a server that it was not made for.
 */
function keyOf(
  entry: ModelEntryFile,
  index: number,
  { picker, environment }: ResolvingModels,
): string | undefined {
  const { model, api_base: apiBase, api_key: apiKey } = entry.litellm_params;
  if (apiKey !== undefined) return apiKey;
  const fromOpenAi = apiBase === undefined && model.startsWith('openai/');
  const value = fromOpenAi ? environment['OPENAI_API_KEY'] : undefined;
  if (value === undefined || value === '') return undefined;
  picker.origins.set(`model_list.${index}.litellm_params.api_key`, {
    kind: 'environment',
    name: 'OPENAI_API_KEY',
  });
  return value;
}

function paramsOf(entry: ModelEntryFile): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(entry.litellm_params).filter(
      ([key, value]) => value !== undefined && !DEPLOYMENT_KEYS.includes(key) && deploymentKeyHasEffect(key),
    ),
  );
}
