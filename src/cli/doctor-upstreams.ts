import type { Settings } from '../config/settings.ts';
import { messageOf } from '../shared/errors.ts';
import { isLoopbackUrl } from '../shared/local-host.ts';
import type { Finding } from './doctor-checks.ts';

/** A model as Ollama lists it. */
export type ListedModel = {
  readonly name: string;
  /** Set where another machine runs it. */
  readonly remoteHost?: string;
  readonly capabilities: readonly string[];
};

/** What upstreams tell. Every function throws ObeliskError when the upstream does not answer. */
export type UpstreamPorts = {
  readonly ollamaVersion: (url: string) => Promise<string>;
  readonly ollamaModels: (url: string) => Promise<readonly ListedModel[]>;
  /** Addresses of this machine, besides loopback, at which a port answers. */
  readonly openAddresses: (port: number) => Promise<readonly string[]>;
  /** Status with which `GET /v1/models` of a LiteLLM proxy is answered, and its clock. */
  readonly litellmModels: (
    settings: NonNullable<Settings['providers']['litellm']>,
  ) => Promise<{ readonly status: number; readonly dateMs?: number }>;
  readonly nowMs: () => number;
};

/** Oldest Ollama whose model list tells capabilities and whose `/api/embed` refuses to cut. */
const OLDEST_OLLAMA = [0, 9] as const;
const SKEW_MS = 5 * 60_000;

/** Checks Ollama: version, models, a model to embed with, models that run elsewhere, who can reach it. */
export async function checkOllama(settings: Settings, ports: UpstreamPorts): Promise<readonly Finding[]> {
  const { url } = settings.providers.ollama;
  const check = 'Ollama';
  try {
    const version = await ports.ollamaVersion(url);
    const models = await ports.ollamaModels(url);
    return [
      checkOllamaVersion(version, url),
      ...checkOllamaModels(settings, models),
      ...(await checkExposure(url, ports)),
    ];
  } catch (error) {
    return [
      {
        check,
        status: 'warn',
        message: `${messageOf(error)}; answers quote your notes without it`,
        remedy: 'install it from ollama.com and start it, or set OLLAMA_URL to where it runs',
      },
    ];
  }
}

function checkOllamaVersion(version: string, url: string): Finding {
  const check = 'Ollama';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const built = version.startsWith('0.0.0');
  const isOld = !built && major === OLDEST_OLLAMA[0] && minor < OLDEST_OLLAMA[1];
  if (!isOld) return { check, status: 'ok', message: `version ${version} at ${url}` };
  return { check, status: 'warn', message: `version ${version} at ${url} is old`, remedy: 'update Ollama' };
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
    const message = `${cloud.join(', ')} run on another machine; Obelisk uses them only when they are named`;
    findings.push({ check, status: 'warn', message });
  }
  return findings;
}

function missingModels(settings: Settings, models: readonly ListedModel[]): readonly Finding[] {
  const installed = new Set(models.flatMap(({ name }) => [name, name.replace(/:latest$/, '')]));
  const { defaultModel, defaultEmbeddingModel } = settings.providers.ollama;
  // A name of `rag` may also be a model of the list, of a proxy, or the built-in writer.
  const elsewhere = new Set(['extractive', ...settings.modelList.map(({ modelName }) => modelName)]);
  const { model, embeddingModel } = settings.rag;
  const hasProxy = settings.providers.litellm !== undefined;
  const ofVaults = [model, embeddingModel].filter((name) => name !== undefined && !elsewhere.has(name));
  const wanted = [defaultModel, defaultEmbeddingModel, ...(hasProxy ? [] : ofVaults)]
    .filter((name) => name !== undefined)
    .map((name) => name.replace(/^ollama(?:_chat)?\//, ''));
  return [...new Set(wanted)]
    .filter((name) => !installed.has(name))
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
