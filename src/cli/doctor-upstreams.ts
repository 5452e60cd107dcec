import type { Settings } from '../config/settings.ts';
import type { OllamaHostSettings } from '../shared/ollama-hosts.ts';
import { versionWarning } from '../ollama/fleet/known-holes.ts';
import { withoutOllamaPrefix } from '../router/selector.ts';
import { messageOf } from '../shared/errors.ts';
import { isLoopbackUrl } from '../shared/local-host.ts';
import { ollamaModelKey } from '../shared/ollama-model-name.ts';
import type { Finding } from './doctor-checks.ts';

/** A model as Ollama lists it. */
export type ListedModel = {
  readonly name: string;
  /** Set where another machine runs it. */
  readonly remoteHost?: string;
  readonly capabilities: readonly string[];
};

/** Where a host of Ollama is, and the key that it wants. */
export type OllamaAddress = Pick<OllamaHostSettings, 'url' | 'apiKey'>;

/** What upstreams tell. Every function throws ObeliskError when the upstream does not answer. */
export type UpstreamPorts = {
  readonly ollamaVersion: (host: OllamaAddress) => Promise<string>;
  readonly ollamaModels: (host: OllamaAddress) => Promise<readonly ListedModel[]>;
  /** Addresses of this machine, besides loopback, at which a port answers. */
  readonly openAddresses: (port: number) => Promise<readonly string[]>;
  /** Status with which `GET /v1/models` of a LiteLLM proxy is answered, and its clock. */
  readonly litellmModels: (
    settings: NonNullable<Settings['providers']['litellm']>,
  ) => Promise<{ readonly status: number; readonly dateMs?: number }>;
  readonly nowMs: () => number;
};

const SKEW_MS = 5 * 60_000;

/** Checks Ollama: version, models, a model to embed with, models that run elsewhere, who can reach it. */
export async function checkOllama(settings: Settings, ports: UpstreamPorts): Promise<readonly Finding[]> {
  const { hosts } = settings.providers.ollama;
  const seen = await Promise.all(hosts.map((host) => checkHost(host, { ports, isOnly: hosts.length === 1 })));
  // What one host has, all of them are asked for.
  const found = seen.flatMap(({ models }) => models ?? []);
  const models = [...new Map(found.map((model) => [model.name, model])).values()];
  return [
    ...seen.flatMap(({ findings }) => findings),
    ...(seen.some((one) => one.models !== undefined) ? checkOllamaModels(settings, models) : []),
  ];
}

type SeenHost = { readonly findings: readonly Finding[]; readonly models?: readonly ListedModel[] };

async function checkHost(
  host: OllamaAddress,
  { ports, isOnly }: { readonly ports: UpstreamPorts; readonly isOnly: boolean },
): Promise<SeenHost> {
  const check = 'Ollama';
  try {
    const version = await ports.ollamaVersion(host);
    const models = await ports.ollamaModels(host);
    const exposure = await checkExposure(host.url, ports);
    return { models, findings: [checkOllamaVersion(version, host.url), ...exposure] };
  } catch (error) {
    const reason = messageOf(error);
    const finding: Pick<Finding, 'message' | 'remedy'> = isOnly
      ? {
          message: `${reason}; answers quote your notes without it`,
          remedy: 'install it from ollama.com and start it, or set OLLAMA_URL to where it runs',
        }
      : { message: reason, remedy: 'start it, or correct its url in providers.ollama.hosts' };
    return { findings: [{ check, status: 'warn', ...finding }] };
  }
}

function checkOllamaVersion(version: string, url: string): Finding {
  const check = 'Ollama';
  const hole = versionWarning(version);
  if (hole === undefined) return { check, status: 'ok', message: `version ${version} at ${url}` };
  return { check, status: 'warn', message: `${url}: ${hole}`, remedy: 'update Ollama' };
}

function checkOllamaModels(settings: Settings, models: readonly ListedModel[]): readonly Finding[] {
  const check = 'Ollama models';
  const local = models.filter((model) => !isCloud(model));
  const cloud = models.filter(isCloud).map((model) => model.name);
  const chat = local.filter((model) => !isEmbedding(model)).map((model) => model.name);
  const embedding = local.filter(isEmbedding).map((model) => model.name);
  const findings: Finding[] = [
    chat.length > 0
      ? { check, status: 'ok', message: `chat: ${chat.join(', ')}` }
      : { check, status: 'warn', message: 'no chat model is installed', remedy: 'ollama pull llama3.2' },
    embedding.length > 0
      ? { check, status: 'ok', message: `embedding: ${embedding.join(', ')}` }
      : {
          check,
          status: 'warn',
          message: 'no embedding model is installed, so notes are found by their words only',
          remedy: 'ollama pull all-minilm',
        },
    ...missingModels(settings, models),
  ];
  if (cloud.length > 0) {
    const use = settings.providers.ollama.allowCloud
      ? 'Obelisk uses them only when they are named'
      : 'Obelisk does not serve them before providers.ollama.allow_cloud';
    const message = `${cloud.join(', ')} run on another machine; ${use}`;
    findings.push({ check, status: 'warn', message });
  }
  return findings;
}

function missingModels(settings: Settings, models: readonly ListedModel[]): readonly Finding[] {
  const installed = new Set(models.map(({ name }) => ollamaModelKey(name)));
  const { defaultModel, defaultEmbeddingModel } = settings.providers.ollama;
  // A name of `rag` may also be a model of the list, of a proxy, or the built-in writer.
  const elsewhere = new Set(['extractive', ...settings.modelList.map(({ modelName }) => modelName)]);
  const { model, embeddingModel } = settings.rag;
  const hasProxy = settings.providers.litellm !== undefined;
  const ofVaults = [model, embeddingModel].filter((name) => name !== undefined && !elsewhere.has(name));
  const wanted = [defaultModel, defaultEmbeddingModel, ...(hasProxy ? [] : ofVaults)]
    .filter((name) => name !== undefined)
    .map(withoutOllamaPrefix);
  return [...new Set(wanted)]
    .filter((name) => !installed.has(ollamaModelKey(name)))
    .map((name) => ({
      check: 'Ollama models',
      status: 'warn',
      message: `${name} is configured but not installed`,
      remedy: `ollama pull ${name}`,
    }));
}

function isCloud({ name, remoteHost }: ListedModel): boolean {
  return remoteHost !== undefined || /[:-]cloud$/.test(name);
}

function isEmbedding({ name, capabilities }: ListedModel): boolean {
  // Before 0.30 the list tells no capabilities; embedding models are then known by their names.
  return capabilities.length > 0 ? capabilities.includes('embedding') : /embed|minilm|bge-|arctic/.test(name);
}

/** Ollama has no authentication: bound beyond loopback, anyone near can delete its models. */
async function checkExposure(url: string, ports: UpstreamPorts): Promise<readonly Finding[]> {
  if (!isLoopbackUrl(url)) return [];
  const port = Number(new URL(url).port || 80);
  const open = await ports.openAddresses(port);
  if (open.length === 0) return [];
  return [
    {
      check: 'Ollama',
      status: 'warn',
      message: `it also answers at ${open.join(', ')}, without a key: others on the network can use and delete its models`,
      remedy: 'start it with OLLAMA_HOST=127.0.0.1, and let others use Obelisk with a master key',
    },
  ];
}

/** Checks a configured LiteLLM proxy: that it answers, and that it accepts the key. */
export async function checkLitellm(settings: Settings, ports: UpstreamPorts): Promise<readonly Finding[]> {
  const { litellm } = settings.providers;
  const check = 'LiteLLM proxy';
  if (litellm === undefined) return [];
  try {
    const { status, dateMs } = await ports.litellmModels(litellm);
    return [litellmFinding(litellm.apiBase, status), ...skewFindings(dateMs, ports.nowMs())];
  } catch (error) {
    const remedy = 'start it, or correct providers.litellm.api_base';
    return [{ check, status: 'fail', message: messageOf(error), remedy }];
  }
}

function litellmFinding(apiBase: string, status: number): Finding {
  const check = 'LiteLLM proxy';
  if (status === 200) return { check, status: 'ok', message: `${apiBase} answers and accepts the key` };
  if (status === 401 || status === 403) {
    const remedy = 'set providers.litellm.api_key or LITELLM_API_KEY to a key of that proxy';
    return { check, status: 'fail', message: `${apiBase} refuses the key (${status})`, remedy };
  }
  return {
    check,
    status: 'fail',
    message: `${apiBase} answered ${status} to /v1/models`,
    remedy: 'check that the address is the root of a LiteLLM proxy',
  };
}

function skewFindings(dateMs: number | undefined, nowMs: number): readonly Finding[] {
  if (dateMs === undefined || Math.abs(nowMs - dateMs) < SKEW_MS) return [];
  const minutes = Math.round(Math.abs(nowMs - dateMs) / 60_000);
  const message = `this machine and the LiteLLM proxy are ${minutes} minutes apart`;
  return [{ check: 'clock', status: 'warn', message, remedy: 'synchronise the clocks' }];
}
