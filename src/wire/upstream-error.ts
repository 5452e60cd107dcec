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

/** Codes of a message cut off by the end of the connection, whose framing promised more. */
const TRUNCATED = new Set(['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'HPE_INVALID_EOF_STATE']);

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

/** An answer that breaks HTTP or what Obelisk accepts of it. `what` continues “answered”. */
export function invalidAnswer(request: UpstreamRequest, what: string, cause?: unknown): ObeliskError {
  return new ObeliskError(
    'upstream_invalid',
    `${urlOf(request)} answered ${what}; is that address the right kind of server?`,
    { cause },
  );
}

function unreachable(request: UpstreamRequest, code: string, begun: boolean): string {
  return begun
    ? `${urlOf(request)} closed the connection in the middle of its answer (${code}); look at its log`
    : `${urlOf(request)} did not answer (${code}); ${hintOf(code, request.origin)}`;
}

/** Turns what undici or the socket reports into Obelisk's own error. `begun` says whether an answer had begun. */
export function toUpstreamError(request: UpstreamRequest, error: unknown, begun: boolean): ObeliskError {
  const code = systemCodeOf(error) ?? '';
  if (code === 'UND_ERR_SOCKET' && REFUSED_BY_PARSER.has(messageOf(error))) {
    return invalidAnswer(request, 'with a response nobody asked for', error);
  }
  if (UNREACHABLE.has(code) || TRUNCATED.has(code)) {
    return new ObeliskError('upstream_unreachable', unreachable(request, code, begun), { cause: error });
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return invalidAnswer(request, 'with a head over 64 KiB', error);
  if (code.startsWith('HPE_')) return invalidAnswer(request, `with malformed HTTP (${code})`, error);
  if (isTlsCode(code)) {
    const message = `${urlOf(request)} offered no TLS connection that can be trusted (${code}: ${messageOf(error)}); correct its certificate or the address`;
    return new ObeliskError('upstream_invalid', message, { cause: error });
  }
  if (code === 'UND_ERR_DESTROYED') {
    const message = `the request to ${urlOf(request)} was dropped because Obelisk is stopping`;
    return new ObeliskError('overloaded', message, { cause: error });
  }
  const message = `the request to ${urlOf(request)} failed: ${messageOf(error)}`;
  return new ObeliskError('internal', message, { cause: error });
}
