import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isObeliskError, ObeliskError, systemCodeOf } from '../shared/errors.ts';

/** The error for CONNECT, a method for proxies alone (RFC 9110, 9.3.6). */
export function tunnelRefusal(): ObeliskError {
  const message = 'CONNECT is not served: this is no proxy; ask its own paths, for example GET /v1/models';
  return new ObeliskError('method_not_allowed', message);
}

/** What node:http reports of a connection that never became a request, as an answer. */
function refusalOf(error: unknown): { status: string; fields?: string; message: string; code: string } {
  if (isObeliskError(error)) {
    // A 405 must have the header (RFC 9110, 15.5.6).
    const { message, code } = error;
    return { status: '405 Method Not Allowed', fields: 'allow: GET, POST\r\n', message, code };
  }
  const code = systemCodeOf(error) ?? '';
  if (code === 'HPE_HEADER_OVERFLOW') {
    return {
      status: '431 Request Header Fields Too Large',
      code: 'invalid_request',
      message: 'the request head is too large',
    };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return {
      status: '408 Request Timeout',
      code: 'request_timeout',
      message: 'the request did not arrive in time',
    };
  }
  return { status: '400 Bad Request', code: 'invalid_request', message: 'the request is not valid HTTP/1.1' };
}

/**
 * Answers bytes that are no request, and ends their connection; not before earlier requests have their
 * answers, and never in the middle of one.
 *
 * @param last The last answer of the connection, under way or over.
 */
export function refuseInTurn(error: unknown, socket: Duplex, last: ServerResponse | undefined): void {
  if (last === undefined) refuseBytes(error, socket);
  else if (last.req.complete) afterAnswer(last, () => refuseBytes(error, socket));
  // What breaks off is the rest of a request that was answered, as one that was too long.
  else if (last.writableEnded) afterAnswer(last, () => socket.end(() => socket.destroy()));
  else if (last.headersSent) socket.destroy();
  // Earlier requests are still being answered.
  else if (last.socket === null) last.once('socket', () => refuseInTurn(error, socket, last));
  else refuseBytes(error, socket);
}

function afterAnswer(answer: ServerResponse, listener: () => void): void {
  if (answer.writableFinished) listener();
  else answer.once('finish', listener);
}

function refuseBytes(error: unknown, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, fields = '', message, code } = refusalOf(error);
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } });
  const head = `HTTP/1.1 ${status}\r\n${fields}connection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}
