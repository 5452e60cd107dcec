import { z } from 'zod';
import type { HardwareFile, OllamaFile, OllamaHostFile } from './config-file.ts';
import { modelNameProblem, registryProblem } from './ollama-names.ts';
import { KEEP_ALIVE_FORMS, keepAliveSeconds } from '../shared/keep-alive.ts';
import { refusalOf, RUNNER_OPTIONS } from '../shared/ollama-options.ts';
import type { RunnerOption } from '../shared/ollama-options.ts';
import { memorySize } from './memory-size.ts';
import { createParts, refined, seconds, text, truth, whole } from './schema-values.ts';
import type { Part } from './schema-values.ts';

/** How a host is chosen, by the word of the file. */
const PLACEMENTS = ['warm-first', 'least-busy', 'round-robin'] as const;

/** Days of the week as written, Sunday first, as JavaScript counts them. */
export const WEEK_DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

const MOST_PARALLEL = 1_024;

const runnerOption = (option: RunnerOption): z.ZodType<number | boolean> =>
  option.kind === 'boolean' ? truth() : whole(option.minimum ?? 0, 100_000_000);

/** In seconds, however it is written. */
const keepAlive = (): z.ZodType<number> => {
  const inSeconds = (value: unknown): unknown =>
    typeof value === 'string' ? keepAliveSeconds(value) : value;
  return z.preprocess(
    inSeconds,
    z.custom<number>((value) => Number.isFinite(value), { message: `must be ${KEEP_ALIVE_FORMS}` }),
  );
};

const hardware = (): z.ZodType<HardwareFile> =>
  z.strictObject({
    ...Object.fromEntries(
      Object.entries(RUNNER_OPTIONS).map(([name, option]) => [
        name,
        runnerOption(option).optional().meta({ description: option.meaning }),
      ]),
    ),
    keep_alive: keepAlive().optional().meta({
      description:
        'How long a model stays loaded without a request: seconds, `24h`, or -1 for ever. Requests then no longer choose it.',
      type: 'string',
    }),
  });

const overrides = () => z.record(z.string().min(1), hardware()).optional();

const modelName = (): z.ZodType<string> => refined(modelNameProblem);

const parallel = (fallback: number | string) =>
  whole(1, MOST_PARALLEL).optional().meta({
    description:
      'Requests that it serves at once per model: the `OLLAMA_NUM_PARALLEL` that Ollama was started with, which it tells nobody. Where it is not configured: one, and as many more as the host is seen to serve.',
    default: fallback,
  });

const memory = (description: string, fallback: string) =>
  memorySize().optional().meta({ description, default: fallback, type: 'string' });

const CACHE_TYPES = ['f16', 'q8_0', 'q4_0'] as const;

const cacheType = (fallback: string) =>
  z.enum(CACHE_TYPES).optional().meta({
    description:
      'The `OLLAMA_KV_CACHE_TYPE` that it was started with, for estimates of what fits; Ollama tells nobody.',
    default: fallback,
  });

const hostName = (): z.ZodType<string> =>
  refined((name) =>
    /^[A-Za-z0-9][A-Za-z0-9._:-]{0,62}$/.test(name)
      ? undefined
      : 'must be a short name of letters, digits, dots, hyphens, underscores and colons',
  );

const namesOrTags = () => z.array(hostName());

const host = (): z.ZodType<OllamaHostFile> =>
  z.strictObject({
    name: hostName().optional().meta({
      description: 'Its name in headers, metrics and on the command line.',
      default: 'host:port of its URL',
    }),
    url: text().meta({ description: 'Where it listens.' }),
    api_key: text().optional().meta({
      description: 'Sent as `Authorization: Bearer`, to a proxy in front of it. Never printed.',
      secret: true,
    }),
    weight: seconds(0, 1_000_000).optional().meta({
      description:
        'Part of the requests, relative to the other hosts; 0 is asked only where no other can be.',
      default: 1,
    }),
    tags: namesOrTags().optional().meta({
      description: 'Names that several hosts may share, for `model_hosts` and `preload`.',
      default: [],
    }),
    parallel: parallel('`parallel` of `providers.ollama`'),
    memory: memory('Memory that it has for models, as `24GB` or `16GiB`.', '`memory` of `providers.ollama`'),
    kv_cache_type: cacheType('`kv_cache_type` of `providers.ollama`'),
    hardware: hardware().optional().meta({ description: 'Options of this host, over `hardware` of all.' }),
    model_overrides: overrides().meta({
      description: 'Options of this host by model name, over `model_overrides` of all.',
    }),
  });

const preload = () =>
  z.strictObject({
    model: modelName().meta({ description: 'Model that is loaded ahead of its first request.' }),
    hosts: namesOrTags()
      .optional()
      .meta({ description: 'Names or tags of the hosts that load it.', default: 'every host that has it' }),
    at: refined((value) =>
      /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(value) ? undefined : 'must be a time of day such as 07:30',
    )
      .optional()
      .meta({
        description: 'Time of the local day, `HH:MM`.',
        default: 'when Obelisk starts, and when the host comes back',
      }),
    days: z
      .array(z.enum(WEEK_DAYS))
      .min(1)
      .optional()
      .meta({ description: `Days of the week: ${WEEK_DAYS.join(', ')}.`, default: 'every day' }),
    keep_alive: keepAlive().optional().meta({
      description: 'How long it stays loaded without a request: seconds, `24h`, or -1 for ever.',
      default: 'what Ollama does, 5 minutes unless told otherwise',
      type: 'string',
    }),
  });

const requestOption = (): z.ZodType<string> =>
  refined((name) => {
    const known = [...Object.keys(RUNNER_OPTIONS), 'keep_alive'];
    if (known.includes(name)) return undefined;
    const refusal = refusalOf(name);
    return refusal === undefined ? `must be one of ${known.join(', ')}` : `cannot be used: ${refusal}`;
  });

const places = (part: Part) => ({
  url: part('url', () =>
    text()
      .optional()
      .meta({
        description:
          'Where Ollama listens, for one host; several stand in `hosts`. An `OLLAMA_HOST` of `0.0.0.0` means 127.0.0.1.',
        default: 'http://127.0.0.1:11434',
        environment: ['OLLAMA_URL', 'OLLAMA_HOST'],
      }),
  ),
  hosts: part('hosts', () =>
    z
      .array(host())
      .min(1)
      .optional()
      .meta({ description: 'Several hosts, in place of `url` and of the environment’s: [[Several hosts]].' }),
  ),
});

/** Builds the schema of `providers.ollama`; keys that a file does not have are left unbuilt. */
export function ollamaSchema(has: (key: string) => boolean): z.ZodType<OllamaFile> {
  const part = createParts(has);
  return z.strictObject({
    ...places(part),
    default_model: part('default_model', () =>
      text().optional().meta({
        description: 'Chat model used where none is named.',
        default: 'chosen among the installed ones',
      }),
    ),
    default_embedding_model: part('default_embedding_model', () =>
      text().optional().meta({
        description: 'Embedding model used where none is named.',
        default: 'chosen among the installed ones',
      }),
    ),
    hardware: part('hardware', () =>
      hardware().optional().meta({ description: 'Options that Ollama loads every model with.' }),
    ),
    model_overrides: part('model_overrides', () =>
      overrides().meta({
        description: 'The same options by model name; they win over `hardware`.',
      }),
    ),
    request_options: part('request_options', () =>
      z.array(requestOption()).optional().meta({
        description:
          'Options of `hardware` that a request may set itself, each time at the price of a reload.',
        default: [],
      }),
    ),
    poll_seconds: part('poll_seconds', () =>
      whole(1, 3600).optional().meta({ description: 'Seconds between two looks for models.', default: 5 }),
    ),
    ...fleetKeys(part),
    ...foreignKeys(part),
  });
}

const fleetKeys = (part: Part) => ({
  placement: part('placement', () =>
    z.enum(PLACEMENTS).optional().meta({
      description:
        'Which host is asked for a model that several have: `warm-first` the one that can begin soonest (loaded, with room, idle), `least-busy` the one with the fewest requests, `round-robin` each in turn.',
      default: 'warm-first',
    }),
  ),
  model_placement: part('model_placement', () =>
    z.record(modelName(), z.enum(PLACEMENTS)).optional().meta({
      description:
        'The same by model name: `least-busy` or `round-robin` spreads a model over all its hosts.',
      default: '`placement`',
    }),
  ),
  model_hosts: part('model_hosts', () =>
    z.record(modelName(), namesOrTags().min(1)).optional().meta({
      description: 'By model name, the names or tags of the hosts that may serve it.',
      default: 'every host that has it',
    }),
  ),
  parallel: part('parallel', () => parallel(1)),
  memory: part('memory', () =>
    memory(
      'Memory that a host has for models, as `24GB` or `16GiB`: Ollama tells none.',
      'that of this machine for a host on it, else unknown',
    ),
  ),
  kv_cache_type: part('kv_cache_type', () => cacheType('f16')),
  queue_limit: part('queue_limit', () =>
    whole(0, 1_000_000).optional().meta({
      description: 'Requests that may wait per host and model; one more is answered with 503.',
      default: 128,
    }),
  ),
  preload: part('preload', () =>
    z
      .array(preload())
      .optional()
      .meta({ description: 'Models that are loaded ahead of their first request.', default: [] }),
  ),
});

const foreignKeys = (part: Part) => ({
  allow_cloud: part('allow_cloud', () =>
    truth().optional().meta({
      description:
        'Whether models that Ollama runs elsewhere (`:cloud`) are served: their prompts leave the machine.',
      default: false,
    }),
  ),
  registries: part('registries', () =>
    z.array(refined(registryProblem)).optional().meta({
      description: 'Registries that models are pulled from and pushed to, as `host` or `host:port`.',
      default: '`registry.ollama.ai` alone',
    }),
  ),
  insecure_registries: part('insecure_registries', () =>
    z.array(refined(registryProblem)).optional().meta({
      description: 'Those of `registries` that are spoken to without TLS.',
      default: [],
    }),
  ),
});
