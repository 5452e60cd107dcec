import { ObeliskError, messageOf, systemCodeOf } from '../shared/errors.ts';
import type { UpstreamRequest } from './upstream.ts';

/** System codes of a connection that could not be made or broke. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'UND_ERR_SOCKET',
]);

/** How far an answer had come when its exchange failed. */
export type Progress = 'nothing' | 'something' | 'head';

/** Undici's own refusals of an interim or upgraded response, reported as socket errors. */
const REFUSED_BY_PARSER = new Set(['bad response', 'bad upgrade']);

/** Where a request went, without its query, which may hold a key. */
export function urlOf(request: UpstreamRequest): string {
  const query = request.path.indexOf('?');
  return request.origin + (query === -1 ? request.path : request.path.slice(0, query));
}

function hintOf(code: string, origin: string): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'is the host name right?';
  if (origin.endsWith(':11434')) return 'is "ollama serve" running?';
  if (code === 'ECONNREFUSED') return 'is it running at that address?';
  return 'is it running and reachable?';
}

function isTlsCode(code: string): boolean {
  return /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO|ERR_OSSL|HOSTNAME_MISMATCH)/.test(
    code,
  );
}

/** Whether a failure before any byte of the answer is what a keep-alive socket closed by its peer looks like. */
export function isStaleSocket(error: unknown): boolean {
  const code = systemCodeOf(error);
  if (code === 'UND_ERR_SOCKET') return !REFUSED_BY_PARSER.has(messageOf(error));
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED';
}

/**
 * Whether the connection ended before the message did. Undici says "length mismatch" of any message
 * with a length that its parser refuses; only after the head does that mean a body cut short.
 */
function isTruncated(error: unknown, progress: Progress): boolean {
  if (systemCodeOf(error) === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return progress === 'head';
  return isParserError(error) && messageOf(error).includes('Invalid EOF state');
}

function isParserError(error: unknown): boolean {
  return error instanceof Error && error.name === 'HTTPParserError';
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

/** Turns what undici or the socket reports into Obelisk's own error. */
export function toUpstreamError(request: UpstreamRequest, error: unknown, progress: Progress): ObeliskError {
  const code = systemCodeOf(error) ?? '';
  if (code === 'UND_ERR_SOCKET' && REFUSED_BY_PARSER.has(messageOf(error))) {
    return invalidAnswer(request, 'with a response nobody asked for', error);
  }
  if (UNREACHABLE.has(code) || isTruncated(error, progress)) {
    const message = unreachable(request, code === '' ? 'ended early' : code, progress);
    return new ObeliskError('upstream_unreachable', message, { cause: error });
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return invalidAnswer(request, 'with a head over 64 KiB', error);
  if (isParserError(error) || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return invalidAnswer(request, 'with malformed HTTP', error);
  }
  return otherError(request, error, code);
}

function otherError(request: UpstreamRequest, error: unknown, code: string): ObeliskError {
  const url = urlOf(request);
  if (isTlsCode(code)) {
    const message = `${url} offered no TLS connection that can be trusted (${code}: ${messageOf(error)}); correct its certificate or the address`;
    return new ObeliskError('upstream_invalid', message, { cause: error });
  }
  if (code === 'UND_ERR_DESTROYED') {
    const message = `the request to ${url} was dropped because Obelisk is stopping`;
    return new ObeliskError('overloaded', message, { cause: error });
  }
  return new ObeliskError('internal', `the request to ${url} failed: ${messageOf(error)}`, { cause: error });
}
