import { ObeliskError } from '../shared/errors.ts';
import type { Secret } from '../shared/secret.ts';
import type { HttpRequest } from '../wire/http.ts';

/** What the check of a key needs. */
export type KeyRules = {
  /** Absent: everybody who reaches the server may use its models and vaults, where no inference key is set either. */
  readonly masterKey?: Secret;
  /** A key that is as good as the master key, known to this machine's own command line. */
  readonly localToken?: Secret;
  /** Keys that open models and vaults, and nothing that shows or changes the server. */
  readonly inferenceKeys?: readonly Secret[];
  /** The page's sessions, carried by a cookie: as good as the master key, which they were opened with. */
  readonly sessions?: { authorizes(request: HttpRequest): boolean };
  readonly monotonicMs: () => number;
};

/**
 * What a route needs. `key`: any key, where one is set. `owner`: no inference key, where a key is set.
 * `admin`: the master key, a session opened with it, or the local token, whether or not a key is set.
 */
export type KeyLevel = 'key' | 'owner' | 'admin';

/** Whether a request may use what needs a key. */
export type KeyCheck = {
  /**
   * @throws ObeliskError `invalid_api_key`; `forbidden` for a key that opens less; `rate_limited` after
   *   too many wrong keys from the address; `invalid_request` where two headers name different keys.
   */
  require(request: HttpRequest, level: KeyLevel): void;
  /** Whether the request's holder owns the server; never throws, so that open routes can say more to those who do. */
  holds(request: HttpRequest): boolean;
};

const FAILURES_PER_WINDOW = 20;
const WINDOW_MS = 60_000;

/** Addresses whose failures are remembered; the oldest is forgotten first. */
const ADDRESS_LIMIT = 4_096;

type Failures = { count: number; readonly sinceMs: number };

/** Creates the check. Calls inside the process are trusted: whoever makes them already runs our code. */
export function createKeyCheck(rules: KeyRules): KeyCheck {
  const { masterKey, localToken, inferenceKeys = [], sessions } = rules;
  const isLocked = masterKey !== undefined || inferenceKeys.length > 0;
  const masters = textsOf([masterKey, localToken]);
  const others = textsOf(inferenceKeys);
  const failures = new Map<string, Failures>();
  return {
    holds(request) {
      if (!isLocked || request.remoteAddress === 'process') return true;
      const key = sentKeyOf(request);
      if (key.kind !== 'one') return key.kind === 'none' && sessions?.authorizes(request) === true;
      return waitMs(failures, request, rules.monotonicMs) === 0 && isAmong(masters, key.value);
    },
    require(request, level) {
      if (level !== 'admin' && !isLocked) return;
      if (request.remoteAddress === 'process') return;
      const waiting = waitMs(failures, request, rules.monotonicMs);
      if (waiting > 0) throw locked(waiting);
      const key = sentKeyOf(request);
      if (key.kind === 'conflict') {
        throw new ObeliskError(
          'invalid_request',
          'authorization and x-api-key name different keys; send one',
        );
      }
      if (key.kind === 'none') {
        if (sessions?.authorizes(request) === true) return;
        throw new ObeliskError('invalid_api_key', missing(level, masterKey !== undefined));
      }
      if (isAmong(masters, key.value)) return;
      if (isAmong(others, key.value)) {
        if (level === 'key') return;
        throw new ObeliskError('forbidden', tooLittle(masterKey !== undefined));
      }
      noteFailure(failures, request.remoteAddress, rules.monotonicMs());
      throw new ObeliskError('invalid_api_key', 'the key is not the one this server was given');
    },
  };
}

/** A right key is not looked at either: its success would tell a guesser apart. */
function locked(waitingMs: number): ObeliskError {
  return new ObeliskError('rate_limited', 'too many wrong keys from this address; wait and try again', {
    retryAfter: Math.ceil(waitingMs / 1_000),
  });
}

const LOCAL_REMEDY =
  'send "authorization: Bearer <key>" with the key in server.token in the data directory, or set general_settings.master_key';

function missing(level: KeyLevel, hasMaster: boolean): string {
  if (level === 'key') return 'a key is needed: send "authorization: Bearer <key>"';
  const remedy = hasMaster ? 'send "authorization: Bearer <key>" with the master key' : LOCAL_REMEDY;
  return `the management of this server needs its owner's key: ${remedy}`;
}

function tooLittle(hasMaster: boolean): string {
  const remedy = hasMaster ? 'send the master key' : LOCAL_REMEDY;
  return `this key opens models and vaults, and no management of the server: ${remedy}`;
}

function textsOf(secrets: readonly (Secret | undefined)[]): readonly string[] {
  return secrets.flatMap((secret) => (secret === undefined ? [] : [secret.reveal()]));
}

/** Every wanted key is compared, so that the time does not tell which one was nearly right. */
function isAmong(wanted: readonly string[], key: string): boolean {
  let found = false;
  for (const one of wanted) found = areSame(key, one) || found;
  return found;
}

/** The key of a request, if it sends any. */
export type SentKey =
  | { readonly kind: 'one'; readonly value: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'conflict' };

/** Reads the key of a request from either of the headers that carry one. */
export function sentKeyOf(request: Pick<HttpRequest, 'header'>): SentKey {
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

function waitMs(
  failures: ReadonlyMap<string, Failures>,
  request: HttpRequest,
  monotonicMs: () => number,
): number {
  const known = failures.get(request.remoteAddress);
  if (!known || known.count < FAILURES_PER_WINDOW) return 0;
  return Math.max(0, known.sinceMs + WINDOW_MS - monotonicMs());
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
