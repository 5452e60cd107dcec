import type { Settings } from '../config/settings.ts';
import type { OllamaFleet } from '../ollama/fleet/fleet.ts';
import { nearest } from '../shared/nearest.ts';
import { overHosts, toConfiguredModel } from './configured-models.ts';
import type { Unservable } from './configured-models.ts';
import { ModelSources } from './model-sources.ts';
import { chooseDefault } from './default-model.ts';
import type { ModelKind } from './default-model.ts';
import type { Deployment, ModelRegistry, Resolution } from './deployment.ts';
import type { ProxyModels } from './proxy-models.ts';
import { selectProvider } from './selector.ts';
import type { Backend } from './selector.ts';
import { parseVaultModel, VAULT_PREFIX } from './vault-models.ts';

/** A registry that also tells what it cannot serve. */
export type ConfiguredRegistry = ModelRegistry & {
  /** Entries of `model_list` that lead nowhere, with the reason of each. */
  unservable(): readonly Unservable[];
};

/** What a registry is made of. */
export type ModelRegistryOptions = {
  readonly settings: Settings;
  readonly fleet: OllamaFleet;
  /** The LiteLLM proxy, where one is configured. */
  readonly proxy?: ProxyModels | undefined;
  /** Names of the vaults that are served now, in NFC. */
  readonly vaultNames: () => readonly string[];
  /** Tokens that a model of a host of the fleet is served with. */
  readonly servedContext?: (deployment: Deployment) => number | undefined;
  /** Where a change of what a model is served with is told. */
  readonly profiles?: { onChange(listener: () => void): unknown };
  /** Milliseconds that never go back. */
  readonly monotonicMs?: () => number;
};

/** The built-in writer by name: who may be asked to write a vault's answer without any model. */
const EXTRACTIVE: Deployment = {
  id: 'extractive',
  modelName: 'extractive',
  dialect: 'extractive',
  model: 'extractive',
  baseUrl: '',
  defaults: {},
  capabilities: { chat: true, embedding: false },
  source: 'built in',
  local: true,
};

const MAX_NEAREST = 3;

const CONFIGURED: readonly Backend[] = ['configured'];

/**
 * Creates the registry of every model that can be asked for now: `model_list`, the models of Ollama
 * and of a LiteLLM proxy, and vaults. It answers from memory; `model_list` wins a collision.
 */
export function createModelRegistry(options: ModelRegistryOptions): ConfiguredRegistry {
  const { settings, vaultNames } = options;
  const configured = settings.modelList.flatMap((entry, index) =>
    overHosts(toConfiguredModel(entry, index, settings.providers), entry, options.fleet),
  );
  const sources = new ModelSources({
    monotonicMs: () => performance.now(),
    ...options,
    deployments: configured.flatMap((model) => (model.kind === 'deployment' ? [model.deployment] : [])),
    unservable: configured.flatMap((model) => (model.kind === 'unservable' ? [model] : [])),
  });
  const list = (): readonly Deployment[] => [
    ...sources.list(),
    ...vaultNames().map((vault) => toVaultDeployment({ vault }, `${VAULT_PREFIX}${vault}`)),
  ];
  const unknown = (name: string): Resolution => unknownAmong(name, list());
  const resolveVault = (name: string): Resolution | undefined => {
    const parsed = parseVaultModel(name);
    if (parsed === undefined) return undefined;
    if (!vaultNames().some((vault) => vault.normalize('NFC') === parsed.vault)) return unknown(name);
    const writer = parsed.writer === undefined ? undefined : resolve(parsed.writer);
    if (writer !== undefined && writer.kind !== 'found') return writer;
    // A vault is no writer: it would ask itself, or another vault, for the words of this one.
    if (writer?.deployment.dialect === 'vault') return unknown(name);
    return foundAlone(toVaultDeployment(parsed, `${VAULT_PREFIX}${withWriter(parsed)}`));
  };
  const resolve = (name: string): Resolution => {
    const wanted = name.normalize('NFC');
    // However else backends are ordered, what is configured comes first.
    const listed = sources.exact(wanted, CONFIGURED);
    if (listed !== undefined) return listed;
    const { backends } = selectProvider('chat', {
      mode: settings.providers.mode,
      model: wanted,
      hasLitellm: options.proxy !== undefined,
    });
    return (
      sources.exact(wanted, backends) ??
      resolveVault(wanted) ??
      (wanted === EXTRACTIVE.modelName ? foundAlone(EXTRACTIVE) : undefined) ??
      sources.fallback(wanted, backends) ??
      unknown(wanted)
    );
  };
  const defaultOf = (kind: ModelKind): Deployment | undefined => {
    const named = namedDefault(settings, kind);
    if (named === undefined) return chooseDefault(kind, sources.candidates());
    const resolution = resolve(named);
    return resolution.kind === 'found' ? resolution.deployment : undefined;
  };
  return {
    resolve,
    list,
    defaultChat: () => defaultOf('chat'),
    defaultEmbedding: () => defaultOf('embedding'),
    unservable: () => sources.unservable,
  };
}

function foundAlone(deployment: Deployment): Resolution {
  return { kind: 'found', deployment, group: [deployment] };
}

function unknownAmong(name: string, deployments: readonly Deployment[]): Resolution {
  const names = deployments.map((deployment) => deployment.modelName);
  return { kind: 'unknown', nearest: nearestNames(name, names) };
}

/** People leave `:latest` away, so a name is as near as its short form is. */
function nearestNames(name: string, names: readonly string[]): readonly string[] {
  const byForm = new Map(
    names.flatMap((full): [string, string][] => [
      [full, full],
      [full.replace(/:latest$/, ''), full],
    ]),
  );
  const forms = nearest(name, byForm.keys(), MAX_NEAREST * 2);
  return [...new Set(forms.map((form) => byForm.get(form) ?? form))].slice(0, MAX_NEAREST);
}

function namedDefault(settings: Settings, kind: ModelKind): string | undefined {
  const { defaultModel, defaultEmbeddingModel } = settings.providers.ollama;
  return kind === 'chat' ? defaultModel : defaultEmbeddingModel;
}

function withWriter(parsed: { readonly vault: string; readonly writer?: string }): string {
  return parsed.writer === undefined ? parsed.vault : `${parsed.vault}:${parsed.writer}`;
}

function toVaultDeployment(
  parsed: { readonly vault: string; readonly writer?: string },
  modelName: string,
): Deployment {
  return {
    id: `${VAULT_PREFIX}${parsed.vault}`,
    modelName,
    dialect: 'vault',
    model: parsed.vault,
    ...(parsed.writer === undefined ? {} : { writer: parsed.writer }),
    baseUrl: '',
    defaults: {},
    capabilities: { chat: true, embedding: false, tools: false, vision: false },
    source: 'vault',
    local: true,
  };
}
