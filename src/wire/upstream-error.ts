import { ObeliskError, isObeliskError, messageOf, systemCodeOf } from '../shared/errors.ts';
import { BROKEN_CONNECTION, NEVER_CONNECTED } from '../shared/system-codes.ts';
import type { UpstreamRequest } from './upstream.ts';

/** System codes of a connection that could not be made or broke. */
const UNREACHABLE = new Set([...NEVER_CONNECTED, ...BROKEN_CONNECTION, 'ETIMEDOUT']);

/** What this process or its machine has no more of: it says nothing about the upstream. */
const EXHAUSTED = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
const RETRY_AFTER_SECONDS = 2;

/** How far an answer had come when its exchange failed. */
export type Progress = 'nothing' | 'something' | 'head';

/** The peer closed the connection before its answer was whole. */
export class ConnectionEnded extends Error {
  override readonly name = 'ConnectionEnded';
  readonly code = 'connection closed';

  constructor() {
    super('the peer closed the connection');
  }
}

/** No connection came to be in its time, so that nothing was sent. */
export class ConnectTimedOut extends Error {
  override readonly name = 'ConnectTimedOut';
  readonly code = 'connect timeout';

  constructor() {
    super('no connection was made in time');
  }
}

/** The peer's answer breaks HTTP, or what Obelisk accepts of it. */
export class InvalidResponse extends Error {
  override readonly name = 'InvalidResponse';
  /** To follow “answered”. */
  readonly what: string;

  constructor(what: string, cause?: unknown) {
    super(`answered ${what}`, { cause });
    this.what = what;
  }
}

/** The client was closed while the request ran. */
export class ClientClosed extends Error {
  override readonly name = 'ClientClosed';

  constructor() {
    super('the client was closed');
  }
}

/** Where a request went, without its query, which may hold a key. */
export function urlOf(request: UpstreamRequest): string {
  const query = request.path.indexOf('?');
  return request.origin + (query === -1 ? request.path : request.path.slice(0, query));
}

function hintOf(code: string, origin: string): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ETIMEOUT') return 'is the host name right?';
  if (origin.endsWith(':11434')) return 'is "ollama serve" running?';
  if (code === 'ECONNREFUSED') return 'is it running at that address?';
  return 'is it running and reachable?';
}

function isTlsCode(code: string): boolean {
  return /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO|ERR_OSSL|HOSTNAME_MISMATCH)/.test(
    code,
  );
}

/** A server of one's own mostly has a certificate of one's own, which is in order and only unknown. */
function tlsRemedyOf(code: string): string {
  return /SELF_SIGNED|^UNABLE_TO_/.test(code)
    ? 'correct the address, or start Obelisk with NODE_EXTRA_CA_CERTS set to the PEM file of the authority that vouches for it'
    : 'correct its certificate or the address';
}

/** Whether a failure before any byte of the answer is what a keep-alive socket closed by its peer looks like. */
export function isStaleSocket(error: unknown): boolean {
  if (error instanceof ConnectionEnded) return true;
  const code = systemCodeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED';
}

/** An answer that breaks HTTP or what Obelisk accepts of it. `what` continues “answered”. */
export function invalidAnswer(request: UpstreamRequest, what: string, cause?: unknown): ObeliskError {
  return new ObeliskError(
    'upstream_invalid',
    `${urlOf(request)} answered ${what}; is that address the right kind of server?`,
    { cause },
  );
}

function unreachable(request: UpstreamRequest, code: string, progress: Progress): string {
  return progress === 'nothing'
    ? `${urlOf(request)} did not answer (${code}); ${hintOf(code, request.origin)}`
    : `${urlOf(request)} closed the connection in the middle of its answer (${code}); look at its log`;
}

/** Turns what a connection reports into Obelisk's own error. */
export function toUpstreamError(request: UpstreamRequest, error: unknown, progress: Progress): ObeliskError {
  if (isObeliskError(error)) return error;
  if (error instanceof InvalidResponse) return invalidAnswer(request, error.what, error.cause);
  const code = systemCodeOf(error) ?? '';
  if (UNREACHABLE.has(code) || error instanceof ConnectionEnded) {
    return new ObeliskError('upstream_unreachable', unreachable(request, code, progress), { cause: error });
  }
  const url = urlOf(request);
  if (isTlsCode(code)) {
    const message = `${url} offered no TLS connection that can be trusted (${code}: ${messageOf(error)}); ${tlsRemedyOf(code)}`;
    return new ObeliskError('upstream_invalid', message, { cause: error });
  }
  if (EXHAUSTED.has(code)) {
    const message = `the request to ${url} was not sent: Obelisk may open no more connections (${code}); ask again in a moment, or start it with a higher limit of open files`;
    return new ObeliskError('overloaded', message, {
      cause: error,
      retryAfter: RETRY_AFTER_SECONDS,
      ownWords: true,
    });
  }
  if (error instanceof ClientClosed) {
    const message = `the request to ${url} was dropped because Obelisk is stopping`;
    return new ObeliskError('overloaded', message, { cause: error, ownWords: true });
  }
  return new ObeliskError('internal', `the request to ${url} failed: ${messageOf(error)}`, { cause: error });
}
