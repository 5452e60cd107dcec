const SECONDS_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3_600,
};

const NUMBER = /^[+-]?\d+(?:\.\d+)?$/u;
/** Go's `time.ParseDuration`: a sign, then numbers with a unit each. */
const DURATION = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/u;
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gu;

/** What a `keep_alive` may be, for messages. */
export const KEEP_ALIVE_FORMS: string = 'seconds (300, -1 for ever) or a duration ("5m", "1h30m")';

/** Whether a text is a duration as Go reads it: each number with its unit. */
export function isGoDuration(text: string): boolean {
  return DURATION.test(text);
}

/**
 * Reads a `keep_alive` as seconds: negative means for ever, 0 unloads. A bare number in a text is what
 * Ollama's own environment variable takes. Undefined for anything else.
 */
export function keepAliveSeconds(value: number | string): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  const text = value.trim();
  if (NUMBER.test(text)) return Number(text);
  const [, sign, parts] = DURATION.exec(text) ?? [];
  if (parts === undefined) return undefined;
  let seconds = 0;
  for (const [, amount, unit = ''] of parts.matchAll(PART)) {
    seconds += Number(amount) * (SECONDS_PER_UNIT[unit] ?? 0);
  }
  return sign === '-' ? -seconds : seconds;
}
