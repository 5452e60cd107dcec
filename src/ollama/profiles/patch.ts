import { requireOllamaOption } from '../../providers/ollama/options.ts';
import { ObeliskError } from '../../shared/errors.ts';
import { KEEP_ALIVE_FORMS, keepAliveSeconds } from '../../shared/keep-alive.ts';
import { nearest } from '../../shared/nearest.ts';
import { refusalOf, RUNNER_OPTIONS } from '../../shared/ollama-options.ts';

import type { ProfilePatch } from '../control-plane.ts';

import type { ProfileValues } from './profile-values.ts';

const KEEP_ALIVE = 'keep_alive';

/**
 * Applies a patch to what was set before; null takes a value back.
 * @throws ObeliskError `invalid_request` naming what cannot be set, why, and what to use instead.
 */
export function patchedValues(before: ProfileValues, patch: ProfilePatch): ProfileValues {
  const options: Record<string, number | boolean> = { ...before.options };
  for (const [name, value] of Object.entries(patch.options ?? {})) {
    requireSettable(name);
    if (value === null) delete options[name];
    else {
      requireOllamaOption(name, value);
      options[name] = value;
    }
  }
  const keepAlive = patch.keepAlive === undefined ? before.keepAlive : secondsOf(patch.keepAlive);
  const requestOptions =
    patch.requestOptions === undefined ? before.requestOptions : allowedOf(patch.requestOptions);
  return {
    options,
    ...(keepAlive === undefined ? {} : { keepAlive }),
    ...(requestOptions === undefined ? {} : { requestOptions }),
  };
}

/**
 * Reads options as the design document writes them: `keep_alive` stands among them.
 * @throws ObeliskError `invalid_request` for a value that no option has.
 */
export function toProfilePatch(options: Readonly<Record<string, unknown>>): ProfilePatch {
  const values: Record<string, number | boolean | null> = {};
  let keepAlive: number | string | null | undefined;
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (name === KEEP_ALIVE && (value === null || typeof value === 'number' || typeof value === 'string')) {
      keepAlive = value;
    } else {
      requireSettable(name);
      if (value !== null && typeof value !== 'number' && typeof value !== 'boolean') {
        throw wrong(name, `option ${name} must be a number, true or false`);
      }
      values[name] = value;
    }
  }
  return { options: values, ...(keepAlive === undefined ? {} : { keepAlive }) };
}

function requireSettable(name: string): void {
  if (Object.hasOwn(RUNNER_OPTIONS, name)) return;
  if (name === KEEP_ALIVE)
    throw wrong(name, 'keep_alive stands beside the options of a profile, not among them');
  const refusal = refusalOf(name);
  if (refusal !== undefined) throw wrong(name, `option ${name} cannot be used: ${refusal}`);
  const known = Object.keys(RUNNER_OPTIONS);
  const [closest] = nearest(name, known, 1);
  const hint = closest === undefined ? `the options are ${known.join(', ')}` : `did you mean ${closest}?`;
  throw wrong(name, `Ollama has no option ${name}; ${hint}`);
}

function secondsOf(keepAlive: number | string | null): number | undefined {
  if (keepAlive === null) return undefined;
  const seconds = keepAliveSeconds(keepAlive);
  if (seconds === undefined) throw wrong(KEEP_ALIVE, `keep_alive must be ${KEEP_ALIVE_FORMS}`);
  return seconds;
}

function allowedOf(names: readonly string[] | null): readonly string[] | undefined {
  if (names === null) return undefined;
  for (const name of names) if (name !== KEEP_ALIVE) requireSettable(name);
  return [...new Set(names)].toSorted();
}

function wrong(param: string, message: string): ObeliskError {
  return new ObeliskError('invalid_request', message, { param });
}
