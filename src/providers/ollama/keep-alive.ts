import { ObeliskError } from '../../shared/errors.ts';
import { KEEP_ALIVE_FORMS, keepAliveSeconds } from '../../shared/keep-alive.ts';

/**
 * Writes `keep_alive` as Ollama takes it: a number is seconds (negative: for ever, 0: unload), a
 * string a Go duration. A bare number in a string (`"300"`, `"-1"`) is what Ollama's own
 * environment variable takes and its API refuses, so it becomes the number.
 * @throws ObeliskError `invalid_request` when it is neither.
 */
export function toKeepAlive(value: number | string): number | string {
  const seconds = keepAliveSeconds(value);
  if (seconds === undefined) throw refused(String(value).trim());
  if (typeof value === 'number' || !Number.isNaN(Number(value))) return seconds;
  return value.trim();
}

function refused(value: string): ObeliskError {
  const shown = JSON.stringify(value.slice(0, 40));
  return new ObeliskError('invalid_request', `keep_alive is ${shown}; write ${KEEP_ALIVE_FORMS}`, {
    param: 'keep_alive',
  });
}
