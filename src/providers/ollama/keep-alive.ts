import { ObeliskError } from '../../shared/errors.ts';

/** Go's `time.ParseDuration`: a sign, then numbers with a unit each. */
const GO_DURATION =
  /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*$/;
const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;

/**
 * Writes `keep_alive` as Ollama takes it: a number is seconds (negative: for ever, 0: unload), a
 * string a Go duration. A bare number in a string (`"300"`, `"-1"`) is what Ollama's own
 * environment variable takes and its API refuses, so it becomes the number.
 * @throws ObeliskError `invalid_request` when it is neither.
 */
export function toKeepAlive(value: number | string): number | string {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw refused(String(value));
  }
  const text = value.trim();
  if (NUMBER.test(text)) return Number(text);
  if (text === '0' || GO_DURATION.test(text)) return text;
  throw refused(text);
}

function refused(value: string): ObeliskError {
  const shown = JSON.stringify(value.slice(0, 40));
  return new ObeliskError(
    'invalid_request',
    `keep_alive is ${shown}; write seconds (300, -1 for ever) or a duration ("5m", "1h30m")`,
    { param: 'keep_alive' },
  );
}
