import { z } from 'zod';
import { seconds, whole } from './schema-values.ts';

/** Every strategy of LiteLLM's by name; those that Obelisk has no equal of become the nearest. */
export const LITELLM_STRATEGIES: readonly [
  'simple-shuffle',
  'least-busy',
  'usage-based-routing',
  'usage-based-routing-v2',
  'latency-based-routing',
  'cost-based-routing',
] = [
  'simple-shuffle',
  'least-busy',
  'usage-based-routing',
  'usage-based-routing-v2',
  'latency-based-routing',
  'cost-based-routing',
];

/** A strategy as LiteLLM names it. */
export type LitellmStrategy = (typeof LITELLM_STRATEGIES)[number];

/** Further attempts that can be asked for at most. */
export const MOST_RETRIES = 5;

const DAY_SECONDS = 86_400;
const SHORTEST_SECONDS = 0.01;
const MOST = 1_000_000_000;

type Optional<T> = z.ZodOptional<z.ZodType<T>>;

const limit = (description: string): Optional<number> => whole(1, MOST).optional().meta({ description });

const duration = (description: string, fallback?: number | string): Optional<number> =>
  seconds(SHORTEST_SECONDS, DAY_SECONDS)
    .optional()
    .meta({ description, ...(fallback === undefined ? {} : { default: fallback }) });

const retries = (description: string, fallback: number | string): Optional<number> =>
  whole(0, 1_000).optional().meta({ description, default: fallback });

const allowedFails = (fallback: number | string): Optional<number> =>
  whole(0, 1_000).optional().meta({
    description: 'Failed answers (5xx) in a row before a deployment is left alone for a while.',
    default: fallback,
  });

const cooldown = (fallback: string): Optional<number> =>
  seconds(0, DAY_SECONDS).optional().meta({
    description:
      'Seconds that a deployment is left alone after a failure; 0 never leaves it alone. A `retry-after` of the server comes first.',
    default: fallback,
  });

const OWN_COOLDOWN = '5 when unreachable, 10 when failing, 1 to 60 after a 429';
const OF_THE_ROUTER = 'the one of `router_settings`';

/** Shape of the keys of `litellm_params` that say how a deployment is chosen and how long it may take. */
export const DEPLOYMENT_ROUTING: {
  readonly weight: Optional<number>;
  readonly rpm: Optional<number>;
  readonly tpm: Optional<number>;
  readonly max_parallel_requests: Optional<number>;
  readonly num_retries: Optional<number>;
  readonly cooldown_time: Optional<number>;
  readonly allowed_fails: Optional<number>;
  readonly timeout: Optional<number>;
  readonly stream_timeout: Optional<number>;
} = {
  weight: seconds(0, MOST).optional().meta({
    description:
      'Part of the requests, relative to the other entries of the name. Without any weight `rpm`, then `tpm`, takes its place.',
  }),
  rpm: limit('Requests a minute at most.'),
  tpm: limit(
    'Tokens a minute, prompts and answers, after which it is not asked. They count when an answer ends.',
  ),
  max_parallel_requests: limit('Requests at once at most.'),
  num_retries: retries('Further attempts after one that failed, at most 5.', OF_THE_ROUTER),
  cooldown_time: cooldown(OF_THE_ROUTER),
  allowed_fails: allowedFails(OF_THE_ROUTER),
  timeout: duration('Seconds that one attempt may take from its start to its end.'),
  stream_timeout: duration('Seconds in which the answer to a streamed request must begin.'),
};

/** Builds the schema of `router_settings`; its other keys are LiteLLM's and have no effect. */
export function routerSettings(): z.ZodType<{
  readonly routing_strategy?: LitellmStrategy | undefined;
  readonly num_retries?: number | undefined;
  readonly timeout?: number | undefined;
  readonly cooldown_time?: number | undefined;
  readonly allowed_fails?: number | undefined;
  readonly retry_after?: number | undefined;
}> {
  return z.looseObject({
    routing_strategy: z.enum(LITELLM_STRATEGIES).optional().meta({
      description:
        'Which entry of a name is asked: `simple-shuffle` one at random, by weight; `least-busy` the one with the fewest requests under way. `usage-based-routing`, `usage-based-routing-v2` and `latency-based-routing` become `least-busy`, `cost-based-routing` becomes `simple-shuffle`.',
      default: 'simple-shuffle',
    }),
    num_retries: retries('Further attempts after one that failed, at most 5.', 2),
    timeout: duration('Seconds that a request may take, all attempts together.', 1_800),
    cooldown_time: cooldown(OWN_COOLDOWN),
    allowed_fails: allowedFails(4),
    retry_after: seconds(0, DAY_SECONDS).optional().meta({
      description: 'Shortest pause in seconds before the same deployment is asked again.',
      default: 0,
    }),
  });
}

/** Builds the schema of `litellm_settings`; its other keys are LiteLLM's and have no effect. */
export function litellmSettings(): z.ZodType<{
  readonly num_retries?: number | undefined;
  readonly request_timeout?: number | undefined;
}> {
  return z.looseObject({
    num_retries: retries('As `router_settings.num_retries`, which wins.', 2),
    request_timeout: duration('As `router_settings.timeout`, which wins.', 1_800),
  });
}

/** Builds the schema of `upstream`: what holds for every server that is asked. */
export function upstream(): z.ZodType<{
  readonly timeouts?:
    | {
        readonly connect?: number | undefined;
        readonly first_byte?: number | undefined;
        readonly idle?: number | undefined;
        readonly total?: number | undefined;
      }
    | undefined;
}> {
  return z.strictObject({
    timeouts: z
      .strictObject({
        connect: duration('Seconds for a connection to be made, TLS included.', 3),
        first_byte: duration(
          'Seconds for an answer to begin.',
          '60; 600 for models on this machine or network, which may have to be loaded',
        ),
        idle: duration(
          'Seconds of silence in the middle of an answer.',
          '60; 300 for models on this machine or network',
        ),
        total: duration('Seconds for a request, all attempts together; wins over LiteLLM’s keys.', 1_800),
      })
      .optional()
      .meta({ description: 'How long servers may take.' }),
  });
}
