import { ObeliskError } from '../shared/errors.ts';
import type { Secret } from '../shared/secret.ts';
import type { HttpRequest } from '../wire/http.ts';

/** What the check of a key needs. */
export type KeyRules = {
  /** Absent: everybody who reaches the server may use it. */
  readonly masterKey?: Secret;
  /** A second key that is as good, known to this machine's own command line. */
  readonly localToken?: Secret;
  /** The page's sessions, carried by a cookie. */
  readonly sessions?: { authorizes(request: HttpRequest): boolean };
  readonly monotonicMs: () => number;
};

/** Whether a request may use what needs a key. */
export type KeyCheck = {
  /**
   * @throws ObeliskError `invalid_api_key`; `rate_limited` after too many wrong keys from the
   *   address; `invalid_request` where two headers name different keys.
   */
  require(request: HttpRequest): void;
  /** Whether the request holds the key; never throws, so that open routes can say more to those who do. */
  holds(request: HttpRequest): boolean;
};

const FAILURES_PER_WINDOW = 20;
const WINDOW_MS = 60_000;

/** Addresses whose failures are remembered; the oldest is forgotten first. */
const ADDRESS_LIMIT = 4_096;

type Failures = { count: number; readonly sinceMs: number };

/** Creates the check. Calls inside the process are trusted: whoever makes them already runs our code. */
export function createKeyCheck(rules: KeyRules): KeyCheck {
  const { masterKey, localToken } = rules;
  if (!masterKey) return { require: () => undefined, holds: () => true };
  const wanted = [masterKey, ...(localToken ? [localToken] : [])].map((secret) => secret.reveal());
  const failures = new Map<string, Failures>();
  const matches = (key: string): boolean => wanted.some((one) => areSame(key, one));
  return {
    holds(request) {
      if (request.remoteAddress === 'process') return true;
      const key = keyOf(request);
      if (key.kind === 'one')
        return waitMs(failures, request, rules.monotonicMs()) === 0 && matches(key.value);
      return key.kind === 'none' && rules.sessions?.authorizes(request) === true;
    },
    require(request) {
      if (request.remoteAddress === 'process') return;
      const nowMs = rules.monotonicMs();
      const waiting = waitMs(failures, request, nowMs);
      if (waiting > 0) {
        // A right key is not looked at either: its success would tell a guesser apart.
        throw new ObeliskError('rate_limited', 'too many wrong keys from this address; wait and try again', {
          retryAfter: Math.ceil(waiting / 1_000),
        });
      }
      const key = keyOf(request);
      if (key.kind === 'conflict') {
        throw new ObeliskError(
          'invalid_request',
          'authorization and x-api-key name different keys; send one',
        );
      }
      if (key.kind === 'none') {
        if (rules.sessions?.authorizes(request) === true) return;
        throw new ObeliskError('invalid_api_key', 'a key is needed: send "authorization: Bearer <key>"');
      }
      if (matches(key.value)) return;
      noteFailure(failures, request.remoteAddress, nowMs);
      throw new ObeliskError('invalid_api_key', 'the key is not the one this server was given');
    },
  };
}

type SentKey =
  | { readonly kind: 'one'; readonly value: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'conflict' };

function keyOf(request: HttpRequest): SentKey {
  const authorization = request.header('authorization');
  const bearer = authorization === undefined ? undefined : /^bearer +(\S+) *$/i.exec(authorization)?.[1];
  const plain = request.header('x-api-key');
  if (bearer !== undefined && plain !== undefined && bearer !== plain) return { kind: 'conflict' };
  const value = bearer ?? plain;
  return value === undefined || value === '' ? { kind: 'none' } : { kind: 'one', value };
}

/**
 * Compares in a time that depends on what was given alone: not on where the two differ, nor on how
 * long the wanted one is.
 */
function areSame(given: string, wanted: string): boolean {
  let difference = given.length ^ wanted.length;
  for (let at = 0; at < given.length; at += 1)
    difference |= given.charCodeAt(at) ^ wanted.charCodeAt(at % wanted.length);
  return difference === 0;
}

function waitMs(failures: ReadonlyMap<string, Failures>, request: HttpRequest, nowMs: number): number {
  const known = failures.get(request.remoteAddress);
  if (!known || known.count < FAILURES_PER_WINDOW) return 0;
  return Math.max(0, known.sinceMs + WINDOW_MS - nowMs);
}

function noteFailure(failures: Map<string, Failures>, address: string, nowMs: number): void {
  const known = failures.get(address);
  if (known && nowMs - known.sinceMs < WINDOW_MS) {
    known.count += 1;
    return;
  }
  failures.delete(address);
  const oldest = failures.size >= ADDRESS_LIMIT ? failures.keys().next().value : undefined;
  if (oldest !== undefined) failures.delete(oldest);
  failures.set(address, { count: 1, sinceMs: nowMs });
}
