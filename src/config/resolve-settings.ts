import { Secret } from '../shared/secret.ts';
import { baseUrlProblem, toBaseUrl } from './base-url.ts';
import type { ConfigFile } from './config-file.ts';
import type { ConfigInputs } from './config-inputs.ts';
import { defaultDataDir, pathsOf, resolvePath } from './data-dir.ts';
import { asOneOf, asText, optional } from './pick.ts';
import type { FileFacts, Picker } from './pick.ts';
import { resolveKeys } from './resolve-keys.ts';
import { resolveModels } from './resolve-models.ts';
import { resolveOllama } from './resolve-ollama.ts';
import { resolveServer } from './resolve-server.ts';
import { resolveRouting } from './resolve-routing.ts';
import { resolveVaults } from './resolve-vaults.ts';
import type { Settings } from './settings.ts';

/** What settings are resolved from. */
export type Resolving = {
  readonly file: ConfigFile;
  readonly facts: FileFacts;
  readonly inputs: ConfigInputs;
};

/**
 * Weighs flags, file, environment and defaults against each other, setting by setting.
 * @throws ObeliskError `config_invalid` for a wrong environment variable, flag or vault name.
 */
export function resolveSettings(from: Resolving, picker: Picker): Settings {
  const { file, facts, inputs } = from;
  return {
    server: resolveServer(file, picker, inputs),
    ...resolveKeys(file, facts, picker),
    modelList: resolveModels(file, { picker, facts, environment: inputs.environment }),
    routing: resolveRouting(file, picker),
    providers: resolveProviders(from, picker),
    vaults: resolveVaults(file, picker, { facts, inputs }),
    rag: resolveRag(file, picker),
    dataDir: resolveDataDir(from, picker),
    log: resolveLog(file, picker),
  };
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
