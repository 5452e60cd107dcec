import { ObeliskError } from '../shared/errors.ts';
import { ollamaUrl } from '../shared/ollama-url.ts';
import type { OllamaUrl } from '../shared/ollama-url.ts';
import { Secret } from '../shared/secret.ts';
import { baseUrlProblem, toBaseUrl } from './base-url.ts';
import type { ConfigFile, HardwareFile } from './config-file.ts';
import type { ConfigInputs } from './config-inputs.ts';
import { configError } from './config-problem.ts';
import { defaultDataDir, pathsOf, resolvePath } from './data-dir.ts';
import { asOneOf, asText } from './pick.ts';
import type { FileFacts, Picker } from './pick.ts';
import { defaultFleet } from './default-fleet.ts';
import { resolveModels } from './resolve-models.ts';
import { resolveServer } from './resolve-server.ts';
import { resolveRouting } from './resolve-routing.ts';
import { resolveVaults } from './resolve-vaults.ts';
import { masterKeyProblem } from './safe-bind.ts';
import type { Settings } from './settings.ts';

type Resolving = { readonly file: ConfigFile; readonly facts: FileFacts; readonly inputs: ConfigInputs };

/**
 * Weighs flags, file, environment and defaults against each other, setting by setting.
 * @throws ObeliskError `config_invalid` for a wrong environment variable, flag or vault name.
 */
export function resolveSettings(from: Resolving, picker: Picker): Settings {
  const { file, facts, inputs } = from;
  const masterKey = resolveMasterKey(file, picker);
  return {
    server: resolveServer(file, picker, inputs),
    ...(masterKey === undefined ? {} : { masterKey }),
    inferenceKeys: [],
    modelList: resolveModels(file, { picker, facts, environment: inputs.environment }),
    routing: resolveRouting(file, picker),
    providers: resolveProviders(from, picker),
    vaults: resolveVaults(file, picker, { facts, inputs }),
    rag: resolveRag(file, picker),
    dataDir: resolveDataDir(from, picker),
    log: resolveLog(file, picker),
  };
}

function resolveMasterKey(file: ConfigFile, picker: Picker): Secret | undefined {
  const key = picker.pick<string | undefined>(
    'general_settings.master_key',
    [
      picker.file(['general_settings', 'master_key'], file.general_settings?.master_key),
      picker.variable(['OBELISK_MASTER_KEY', 'LITELLM_MASTER_KEY'], (text) => {
        const problem = masterKeyProblem(text);
        return problem === undefined ? { value: text } : { problem };
      }),
    ],
    undefined,
  );
  return key === undefined ? undefined : new Secret(key);
}

function resolveProviders(from: Resolving, picker: Picker): Settings['providers'] {
  const { providers = {} } = from.file;
  const litellm = resolveLitellm(from, picker);
  const mode = picker.pick(
    'providers.default',
    [
      picker.file(['providers', 'default'], providers.default),
      picker.variable(['MODEL_PROVIDER'], asOneOf(['operation', 'smart', 'ollama', 'litellm'] as const)),
    ],
    'operation',
  );
  return { mode, ollama: resolveOllama(from, picker), ...(litellm === undefined ? {} : { litellm }) };
}

function resolveOllama(from: Resolving, picker: Picker): Settings['providers']['ollama'] {
  const ollama = from.file.providers?.ollama ?? {};
  const at = (key: string): readonly string[] => ['providers', 'ollama', key];
  const model = optional(picker, at('default_model'), ollama.default_model);
  const embedding = optional(picker, at('default_embedding_model'), ollama.default_embedding_model);
  const url = resolveOllamaUrl(from, picker);
  return {
    url,
    ...defaultFleet(url),
    ...(model === undefined ? {} : { defaultModel: model }),
    ...(embedding === undefined ? {} : { defaultEmbeddingModel: embedding }),
    hardware: picker.pick(
      'providers.ollama.hardware',
      [picker.file(at('hardware'), ollama.hardware && compact(ollama.hardware))],
      {},
    ),
    modelOverrides: picker.pick(
      'providers.ollama.model_overrides',
      [
        picker.file(
          at('model_overrides'),
          ollama.model_overrides &&
            Object.fromEntries(
              Object.entries(ollama.model_overrides).map(([name, options]) => [name, compact(options)]),
            ),
        ),
      ],
      {},
    ),
    pollMs:
      1000 *
      picker.pick('providers.ollama.poll_seconds', [picker.file(at('poll_seconds'), ollama.poll_seconds)], 5),
  };
}

const OLLAMA_URL = ['providers', 'ollama', 'url'];

function resolveOllamaUrl(from: Resolving, picker: Picker): string {
  const { url, origin } = findOllamaUrl(from);
  const variable = origin === 'OLLAMA_URL' || origin === 'OLLAMA_HOST' ? origin : undefined;
  return picker.pick(
    'providers.ollama.url',
    [
      origin === 'configured' ? picker.file(OLLAMA_URL, url) : undefined,
      variable && { value: url, origin: { kind: 'environment', name: variable } },
    ],
    url,
  );
}

/** Says what is wrong in our own words: those of the cause quote the address, in which a password may stand. */
function findOllamaUrl({ file, facts, inputs }: Resolving): OllamaUrl {
  const configured = file.providers?.ollama?.url;
  try {
    return ollamaUrl({ configured, environment: inputs.environment });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const wrong = 'is no address of an Ollama server; write host:port or http://host:port';
    if (facts !== undefined && configured !== undefined) {
      throw configError(facts.file, [
        { ...facts.tree.placeOf(OLLAMA_URL), message: `${OLLAMA_URL.join('.')} ${wrong}` },
      ]);
    }
    const name = inputs.environment['OLLAMA_URL']?.trim() ? 'OLLAMA_URL' : 'OLLAMA_HOST';
    throw new ObeliskError('config_invalid', `the environment variable ${name} ${wrong}`);
  }
}

function resolveLitellm({ file }: Resolving, picker: Picker): Settings['providers']['litellm'] {
  const { litellm = {} } = file.providers ?? {};
  const apiBase = picker.pick<string | undefined>(
    'providers.litellm.api_base',
    [
      picker.file(['providers', 'litellm', 'api_base'], litellm.api_base),
      picker.variable(['LITELLM_API_URL'], (text) => {
        const problem = baseUrlProblem(text);
        return problem === undefined ? { value: text } : { problem };
      }),
    ],
    undefined,
  );
  if (apiBase === undefined) return undefined;
  const apiKey = picker.pick<string | undefined>(
    'providers.litellm.api_key',
    [
      picker.file(['providers', 'litellm', 'api_key'], litellm.api_key),
      picker.variable(['LITELLM_API_KEY'], asText),
    ],
    undefined,
  );
  return { apiBase: toBaseUrl(apiBase), ...(apiKey === undefined ? {} : { apiKey: new Secret(apiKey) }) };
}

function resolveRag(file: ConfigFile, picker: Picker): Settings['rag'] {
  const model = optional(picker, ['rag', 'model'], file.rag?.model);
  const embedding = optional(picker, ['rag', 'embedding_model'], file.rag?.embedding_model);
  return {
    ...(model === undefined ? {} : { model }),
    ...(embedding === undefined ? {} : { embeddingModel: embedding }),
  };
}

function resolveDataDir({ file, facts, inputs }: Resolving, picker: Picker): string {
  const { platform, homeDir, cwd, flags, environment } = inputs;
  const fileDir = facts === undefined ? cwd : pathsOf(platform).dirname(facts.file);
  const absolute = (written: string | undefined, baseDir: string): string | undefined =>
    written === undefined ? undefined : resolvePath(written, { baseDir, homeDir, platform });
  return picker.pick(
    'data_dir',
    [
      picker.flag('--data-dir', absolute(flags.dataDir, cwd)),
      picker.file(['data_dir'], absolute(file.data_dir, fileDir)),
      picker.variable(['OBELISK_DATA_DIR'], (text) => ({ value: absolute(text, cwd) ?? text })),
    ],
    defaultDataDir({ platform, homeDir, environment }),
  );
}

function resolveLog(file: ConfigFile, picker: Picker): Settings['log'] {
  const levels = ['debug', 'info', 'warn', 'error'] as const;
  const formats = ['auto', 'text', 'json'] as const;
  return {
    level: picker.pick(
      'log.level',
      [
        picker.file(['log', 'level'], file.log?.level),
        picker.variable(['OBELISK_LOG_LEVEL'], asOneOf(levels)),
      ],
      'info',
    ),
    format: picker.pick(
      'log.format',
      [
        picker.file(['log', 'format'], file.log?.format),
        picker.variable(['OBELISK_LOG_FORMAT'], asOneOf(formats)),
      ],
      'auto',
    ),
  };
}

function optional(picker: Picker, path: readonly string[], value: string | undefined): string | undefined {
  return picker.pick<string | undefined>(path.join('.'), [picker.file(path, value)], undefined);
}

function compact(options: HardwareFile): Readonly<Record<string, number | boolean>> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
