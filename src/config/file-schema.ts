import { z } from 'zod';
import type { ConfigFile } from './config-file.ts';
import { ollamaSchema } from './ollama-schema.ts';
import { DEPLOYMENT_ROUTING, litellmSettings, routerSettings, upstream } from './routing-schema.ts';
import { hostProblem, masterKeyProblem } from './safe-bind.ts';
import {
  createParts,
  EMPTY_TEXT,
  hostName,
  origin,
  refined,
  seconds,
  text,
  url,
  whole,
} from './schema-values.ts';
import { vaultNameProblem } from './vault-name.ts';

/**
 * The schema of `obelisk.yaml`. Descriptions, defaults and environment names are what
 * `docs/Configuration.md` is generated from; defaults are applied later, where flags and the
 * environment are weighed against the file.
 */

/** The choices of `server.transport`. */
export const TRANSPORTS: readonly ['codec', 'node'] = ['codec', 'node'];

const DAY_SECONDS = 86_400;

const timeout = (description: string, fallback: number): z.ZodOptional<z.ZodType<number>> =>
  seconds(0.01, DAY_SECONDS).optional().meta({ description, default: fallback });

const timeouts = () =>
  z.strictObject({
    headers: timeout('Seconds for the whole head of a request to arrive.', 10),
    body: timeout('Seconds for the whole body of a request to arrive.', 60),
    keep_alive: timeout('Seconds that a connection without a request stays open.', 65),
    stalled: timeout('Seconds that a client may take nothing of what waits for it.', 60),
  });

const server = () =>
  z.strictObject({
    host: refined(hostProblem)
      .optional()
      .meta({
        description: 'Address to listen on. Anything but loopback needs `general_settings.master_key`.',
        default: '127.0.0.1',
        environment: ['OBELISK_HOST'],
        flag: '--host',
      }),
    port: whole(0, 65_535)
      .optional()
      .meta({
        description: 'Port to listen on; 0 takes a free one.',
        default: 4000,
        environment: ['OBELISK_PORT'],
        flag: '--port',
      }),
    allowed_hosts: z.array(hostName()).optional().meta({
      description:
        'Names in the `Host` header that are answered, besides loopback names and `host.docker.internal`.',
      default: [],
    }),
    allowed_origins: z.array(origin()).optional().meta({
      description: 'Web pages that may use the server, besides its own and `app://obsidian.md`.',
      default: [],
    }),
    transport: z
      .enum(TRANSPORTS)
      .optional()
      .meta({
        description:
          'Who reads and writes HTTP on the paths that matter for speed: `codec`, Obelisk’s own strict codec, with node:http for everything unusual; or `node`, node:http alone.',
        default: 'codec',
        environment: ['OBELISK_TRANSPORT'],
      }),
    timeouts: timeouts().optional().meta({ description: 'How long clients may take.' }),
    drain: seconds(0, DAY_SECONDS).optional().meta({
      description:
        'Seconds that requests under way may go on after the server was told to end; what is not complete then is told so.',
      default: 30,
    }),
  });

const modelEntry = () =>
  z.looseObject({
    model_name: text().meta({ description: 'The name that clients ask for.' }),
    litellm_params: z
      .looseObject({
        model: text().meta({
          description:
            'Provider and model: `openai/gpt-4o-mini` for any OpenAI-compatible server, `ollama_chat/llama3` or `ollama/llama3` for Ollama.',
        }),
        api_base: url()
          .optional()
          .meta({ description: 'Base URL of the server, `/v1` included where it has one.' }),
        api_key: text()
          .optional()
          .meta({ description: 'Key sent to that server. Never printed.', secret: true }),
        mock_response: z
          .string()
          .optional()
          .meta({ description: 'Answers with this text, without a server.' }),
        ...DEPLOYMENT_ROUTING,
      })
      .meta({
        description:
          'Every other parameter (`temperature`, `num_ctx`, `keep_alive`…) travels with each request, unless the request has its own.',
      }),
    model_info: z.record(z.string(), z.unknown()).optional().meta({
      description:
        'Facts about the model, in LiteLLM’s words (`mode`, `max_input_tokens`, `supports_vision`…).',
    }),
  });

const litellm = () =>
  z.strictObject({
    api_base: url()
      .optional()
      .meta({
        description: 'Base URL of a LiteLLM proxy whose models are served as well.',
        environment: ['LITELLM_API_URL'],
      }),
    api_key: text()
      .optional()
      .meta({
        description: 'Key for that proxy. Never printed.',
        secret: true,
        environment: ['LITELLM_API_KEY'],
      }),
    retry_config: z.unknown().optional().meta({ description: 'No effect yet.' }),
    router_settings: z.unknown().optional().meta({ description: 'No effect yet.' }),
  });

const providers = (has: (path: string) => boolean) =>
  z.strictObject({
    default: z
      .enum(['operation', 'smart', 'ollama', 'litellm'])
      .optional()
      .meta({
        description:
          'How a completion finds its backend: `operation` by what is asked, `smart` also by the model’s name, or one provider for all.',
        default: 'operation',
        environment: ['MODEL_PROVIDER'],
      }),
    ollama: ollamaSchema((key) => has(`providers.ollama.${key}`)).optional(),
    litellm: litellm().optional(),
    fallback_chain: z.unknown().optional().meta({ description: 'No effect yet.' }),
  });

const vault = () =>
  z.strictObject({
    name: refined(vaultNameProblem).optional().meta({
      description:
        'Name in `vault/<name>`: letters of any script, digits, spaces, dots, hyphens, underscores.',
      default: 'the folder’s name',
    }),
    path: text().meta({
      description:
        'The vault’s folder. A relative path starts at the file’s own folder; `~` is the home directory.',
    }),
  });

const rag = () =>
  z.strictObject({
    model: text().optional().meta({
      description: 'Model that writes answers from a vault; `extractive` quotes without a model.',
      default: 'the default chat model, else `extractive`',
    }),
    embedding_model: text().optional().meta({
      description: 'Model that embeds notes. Pinned in the index on first use.',
      default: 'the default local embedding model, if any',
    }),
  });

const log = () =>
  z.strictObject({
    level: z
      .enum(['debug', 'info', 'warn', 'error'])
      .optional()
      .meta({
        description: 'The least severe lines that are written.',
        default: 'info',
        environment: ['OBELISK_LOG_LEVEL'],
      }),
    format: z
      .enum(['auto', 'text', 'json'])
      .optional()
      .meta({
        description: '`auto` writes text on a terminal and JSON elsewhere.',
        default: 'auto',
        environment: ['OBELISK_LOG_FORMAT'],
      }),
  });

const key = (): z.ZodType<string> =>
  refined((value) => (value === '' ? EMPTY_TEXT : masterKeyProblem(value)));

const generalSettings = () =>
  z.looseObject({
    master_key: key()
      .optional()
      .meta({
        description:
          'Key that every request must carry. Without one, only this machine can use the server. Never printed.',
        secret: true,
        environment: ['OBELISK_MASTER_KEY', 'LITELLM_MASTER_KEY'],
      }),
    inference_keys: z.array(key()).optional().meta({
      description:
        'Keys that open models and vaults, but no management of models and hosts. They need a `master_key` beside them. Never printed.',
      secret: true,
      default: [],
    }),
  });

const environmentVariables = () => z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const ignored = (): z.ZodOptional<z.ZodUnknown> => z.unknown().optional();

/**
 * Builds the schema of `obelisk.yaml`, as written, after substitution. Custom facts (`environment`,
 * `flag`, `secret`) are in `meta`. Every section is optional, and one that a file does not have is
 * left unbuilt, for a start that pays only for what it uses.
 *
 * @param has Whether the file has a section, or a key by its dotted path.
 */
export function fileSchema(has: (path: string) => boolean): z.ZodType<ConfigFile> {
  const part = createParts(has);
  const section = <T>(name: string, build: () => z.ZodType<T>): z.ZodOptional<z.ZodType<T>> =>
    part(name, () => build().optional());
  return z.strictObject({
    server: section('server', server),
    vaults: section('vaults', () => z.array(vault())).meta({
      description:
        'Obsidian vaults to serve. `--vault DIR` replaces the list. Without any configuration: Obelisk’s own documentation.',
      flag: '--vault',
    }),
    model_list: section('model_list', () => z.array(modelEntry())).meta({
      description:
        'Models, written as LiteLLM writes them. They win over a model of Ollama with the same name.',
    }),
    general_settings: section('general_settings', generalSettings),
    providers: section('providers', () => providers(has)),
    rag: section('rag', rag),
    data_dir: text()
      .optional()
      .meta({
        description: 'Where indexes are kept; never inside a vault.',
        default: 'the platform’s own data directory',
        environment: ['OBELISK_DATA_DIR'],
        flag: '--data-dir',
      }),
    log: section('log', log),
    environment_variables: section('environment_variables', environmentVariables).meta({
      description: 'Variables for `${NAME}` and `os.environ/NAME` in this file, over the real ones.',
    }),
    router_settings: section('router_settings', routerSettings),
    litellm_settings: section('litellm_settings', litellmSettings),
    upstream: section('upstream', upstream),
    callback_settings: ignored(),
    credential_list: ignored(),
    guardrails: ignored(),
    mcp_servers: ignored(),
    search_tools: ignored(),
    vector_store_registry: ignored(),
    prompts: ignored(),
    include: ignored(),
  });
}
