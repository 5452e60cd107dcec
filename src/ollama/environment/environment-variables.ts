import { nearest } from '../../shared/nearest.ts';
import { DEAD_VARIABLES } from './dead-variables.ts';
import { DEVICE_VARIABLES } from './device-variables.ts';
import type { EnvironmentVariable } from './environment-variable.ts';
import { DEBUG_VARIABLES, LLAMA_SERVER_SINCE, LLAMA_SERVER_VARIABLES } from './llama-server-variables.ts';
import {
  CLIENT_VARIABLES,
  MEMORY_VARIABLES,
  NETWORK_VARIABLES,
  SERVER_VARIABLES,
} from './server-variables.ts';

/** Every environment variable that is known, by group. */
export const ENVIRONMENT_VARIABLES: readonly EnvironmentVariable[] = [
  ...SERVER_VARIABLES,
  ...MEMORY_VARIABLES,
  ...LLAMA_SERVER_VARIABLES,
  ...DEVICE_VARIABLES,
  ...NETWORK_VARIABLES,
  ...CLIENT_VARIABLES,
  ...DEBUG_VARIABLES,
  ...DEAD_VARIABLES,
];

const BY_NAME: ReadonlyMap<string, EnvironmentVariable> = new Map(
  ENVIRONMENT_VARIABLES.map((variable) => [variable.name, variable]),
);

/** Names that belong to Ollama, to what it starts or to the drivers: nothing else is looked at. */
const RELEVANT = /^(?:OLLAMA_|LLAMA_ARG_|GGML_|CUDA_|HIP_|ROCR_|HSA_)/;

/** Whether a variable is Ollama's business; every other one of a process is not even read. */
export function isRelevantVariable(name: string): boolean {
  return RELEVANT.test(name) || findVariable(name) !== undefined;
}

/**
 * Looks a variable up by its name: the proxies in either case, `HSA_OVERRIDE_GFX_VERSION_0` with its
 * number, and any other argument of llama-server with what is known of all of them.
 */
export function findVariable(name: string): EnvironmentVariable | undefined {
  const plain = /^(?:https?|no)_proxy$/.test(name)
    ? name.toUpperCase()
    : name.replace(/^(HSA_OVERRIDE_GFX_VERSION)_\d+$/, '$1');
  const known = BY_NAME.get(plain);
  if (known !== undefined) return { ...known, name };
  if (!/^LLAMA_ARG_[A-Z0-9_]+$/.test(name)) return undefined;
  return {
    name,
    group: 'llama-server',
    value: 'text',
    default: 'of llama-server',
    explains: 'An argument of llama-server that Ollama hands on unread; see llama-server --help.',
    since: LLAMA_SERVER_SINCE,
  };
}

/** The known name that a mistyped one resembles most; undefined where none does. */
export function nearestVariable(name: string): string | undefined {
  const live = ENVIRONMENT_VARIABLES.filter((variable) => variable.instead === undefined);
  return nearest(
    name.toUpperCase(),
    live.map((variable) => variable.name),
    1,
  )[0];
}
