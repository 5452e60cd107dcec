import { keepAliveSeconds } from '../../shared/keep-alive.ts';
import type { EnvironmentFinding, EnvironmentLook } from './environment-finding.ts';
import { findVariable } from './environment-variables.ts';
import { readValue, withoutQuotes } from './read-value.ts';
import { isBefore, isKnownVersion } from './version.ts';

type Rule = (get: (name: string) => string | undefined, look: EnvironmentLook) => Advice | undefined;
type Advice = Omit<EnvironmentFinding, 'level'> & { readonly level?: 'note' };

/** Caches that are computed without flash attention. */
const PLAIN_CACHES: ReadonlySet<string> = new Set(['f32', 'f16', 'bf16']);

/** What is dangerous, or wrong only together with something else. */
export function combinationFindings(look: EnvironmentLook): readonly EnvironmentFinding[] {
  const get = (name: string): string | undefined => {
    const raw = look.values.get(name);
    const text = raw === undefined ? '' : withoutQuotes(raw);
    return text === '' ? undefined : text;
  };
  return RULES.flatMap((rule) => {
    const advice = rule(get, look);
    return advice === undefined ? [] : [{ level: 'warn' as const, ...advice }];
  });
}

const RULES: readonly Rule[] = [
  (get, { isInContainer }) => {
    const host = get('OLLAMA_HOST');
    if (
      isInContainer === true ||
      host === undefined ||
      !/^(?:https?:\/\/)?(?:0\.0\.0\.0|\[?::\]?)(?:[:/]|$)/.test(host)
    )
      return undefined;
    return {
      variable: 'OLLAMA_HOST',
      message: `is ${host}: the server listens on every address, without keys, so that others on the network can use and delete its models`,
      remedy:
        'set it to 127.0.0.1 and let others use Obelisk with a key, or let a firewall decide who gets there',
    };
  },
  (get) => {
    const origins = get('OLLAMA_ORIGINS');
    if (origins?.split(',').some((origin) => origin.trim() === '*') !== true) return undefined;
    return {
      variable: 'OLLAMA_ORIGINS',
      message: 'has *: every web page that is open on this machine may use and delete models',
      remedy: 'name the pages that need it',
    };
  },
  flashAttention,
  (get, { parallel, findsOutParallel = false }) => {
    const text = get('OLLAMA_NUM_PARALLEL') ?? '1';
    if (parallel === undefined || !/^\d+$/.test(text)) return undefined;
    // Ollama takes 0 for 1.
    const slots = Math.max(1, Number(text));
    if (slots === parallel) return undefined;
    if (findsOutParallel) {
      return {
        level: 'note',
        variable: 'OLLAMA_NUM_PARALLEL',
        message: `is ${slots}, which Obelisk finds out only once requests wait, and does not count in estimates of memory`,
        remedy: `set parallel: ${slots} for the host under providers.ollama.hosts`,
      };
    }
    return {
      variable: 'OLLAMA_NUM_PARALLEL',
      message: `is ${slots}, but Obelisk sends this host ${parallel} at once for each model`,
      remedy: `set parallel: ${slots} for the host under providers.ollama.hosts`,
    };
  },
  (get) =>
    keepAliveSeconds(get('OLLAMA_KEEP_ALIVE') ?? '') === 0
      ? {
          variable: 'OLLAMA_KEEP_ALIVE',
          message: 'is 0: the model is loaded anew for every request that does not say keep_alive itself',
        }
      : undefined,
  (get) =>
    get('OLLAMA_CONTEXT_LENGTH') === undefined
      ? undefined
      : {
          level: 'note',
          variable: 'OLLAMA_CONTEXT_LENGTH',
          message:
            'counts only for programs that ask Ollama directly: Obelisk names num_ctx in every request',
        },
  (get) =>
    get('HTTP_PROXY') === undefined && get('http_proxy') === undefined
      ? undefined
      : {
          variable: get('HTTP_PROXY') === undefined ? 'http_proxy' : 'HTTP_PROXY',
          message:
            'has no use for pulls, which are HTTPS, and can keep Ollama’s own command line from its server',
          remedy: 'use HTTPS_PROXY',
        },
  logsPrompts,
  (get) => {
    const name = [
      'CUDA_VISIBLE_DEVICES',
      'GGML_VK_VISIBLE_DEVICES',
      'HIP_VISIBLE_DEVICES',
      'ROCR_VISIBLE_DEVICES',
    ].find((one) => get(one) === '-1');
    return name === undefined
      ? undefined
      : { level: 'note', variable: name, message: 'is -1: none of these GPUs is used' };
  },
  (get) => {
    const entries = [
      'HSA_OVERRIDE_GFX_VERSION',
      ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `HSA_OVERRIDE_GFX_VERSION_${n}`),
    ];
    const wrong = entries.find((name) => get(name) !== undefined && !/^\d+\.\d+\.\d+$/.test(get(name) ?? ''));
    return wrong === undefined
      ? undefined
      : {
          variable: wrong,
          message: `is ${get(wrong) ?? ''}, which is not of the form x.y.z`,
          remedy: 'gfx1030 is 10.3.0',
        };
  },
  (get) =>
    get('ROCR_VISIBLE_DEVICES') === undefined || get('HIP_VISIBLE_DEVICES') === undefined
      ? undefined
      : {
          variable: 'HIP_VISIBLE_DEVICES',
          message: 'counts only the GPUs that ROCR_VISIBLE_DEVICES leaves, anew from 0',
          remedy: 'set one of the two',
        },
  (get) =>
    get('LLAMA_ARG_RPC') === undefined
      ? undefined
      : {
          variable: 'LLAMA_ARG_RPC',
          message: 'sends models and prompts to other machines, unencrypted and without a key',
          remedy: 'use it on a network of your own only',
        },
];

function flashAttention(
  get: (name: string) => string | undefined,
  { version }: EnvironmentLook,
): Advice | undefined {
  const type = get('OLLAMA_KV_CACHE_TYPE')?.toLowerCase();
  if (type === undefined || PLAIN_CACHES.has(type)) return undefined;
  const variable = findVariable('OLLAMA_FLASH_ATTENTION');
  const flash = get('OLLAMA_FLASH_ATTENTION');
  const state = flash === undefined || variable === undefined ? 'auto' : readValue(variable, flash).effective;
  if (state === 'on') return undefined;
  if (state === 'off') {
    return {
      variable: 'OLLAMA_KV_CACHE_TYPE',
      message: `is ${type}, which needs flash attention, and OLLAMA_FLASH_ATTENTION switches that off`,
      remedy: 'set OLLAMA_FLASH_ATTENTION=1, or take one of the two out',
    };
  }
  if (!isKnownVersion(version) || !isBefore(version, '0.30.0')) return undefined;
  return {
    variable: 'OLLAMA_KV_CACHE_TYPE',
    message: `is ${type}, which ${version} uses with some models only where flash attention is forced on`,
    remedy: 'set OLLAMA_FLASH_ATTENTION=1',
  };
}

function logsPrompts(get: (name: string) => string | undefined): Advice | undefined {
  const requests = findVariable('OLLAMA_DEBUG_LOG_REQUESTS');
  const text = get('OLLAMA_DEBUG_LOG_REQUESTS');
  if (requests !== undefined && text !== undefined && readValue(requests, text).effective === 'on') {
    return {
      variable: requests.name,
      message: 'is on: every prompt is written into a temporary folder and stays there',
      remedy: 'take it out when the fault is found',
    };
  }
  if (!/^[2-9]/.test(get('OLLAMA_DEBUG') ?? '')) return undefined;
  return {
    variable: 'OLLAMA_DEBUG',
    message: 'is above 1: the log holds prompts',
    remedy: 'set it to 1 or take it out',
  };
}
