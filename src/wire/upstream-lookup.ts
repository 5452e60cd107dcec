import { lookup as lookupOfSystem } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** How long a name may take to resolve, in milliseconds: the system's own limit is many times that. */
const LIMIT_MS = 3_000;

type Callback = Parameters<LookupFunction>[2];
type Answer = Parameters<Callback>;

/** Settings of a look-up. */
export type LookupOptions = {
  /** Resolves a name; the system's resolver unless tests need another. */
  readonly lookup?: LookupFunction;
  /** In milliseconds; 3 s unless tests need less. */
  readonly limitMs?: number;
};

function timedOut(hostname: string, limitMs: number): Error {
  const error = new Error(`${hostname} was not resolved within ${limitMs} ms`);
  return Object.assign(error, { code: 'ETIMEOUT' });
}

/**
 * Creates a resolver for `net.connect` with a limit of its own: a resolver that hangs would else hold
 * its few threads. Questions for one name at the same time are asked once; nothing is kept after the
 * answer, good or bad. Addresses written as such are never looked up.
 */
export function createLookup(options: LookupOptions = {}): LookupFunction {
  const { lookup = lookupOfSystem, limitMs = LIMIT_MS } = options;
  const waiting = new Map<string, Callback[]>();
  return (hostname, query, callback) => {
    const key = `${hostname} ${String(query.all)} ${String(query.family)}`;
    const others = waiting.get(key);
    if (others !== undefined) {
      others.push(callback);
      return;
    }
    const callbacks = [callback];
    waiting.set(key, callbacks);
    const settle = (...answer: Answer): void => {
      clearTimeout(timer);
      if (waiting.get(key) === callbacks) waiting.delete(key);
      for (const waiter of callbacks.splice(0)) waiter(...answer);
    };
    const timer = setTimeout(() => settle(timedOut(hostname, limitMs), ''), limitMs);
    lookup(hostname, query, settle);
  };
}
