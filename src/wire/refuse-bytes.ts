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

/** Answers bytes that are no request, and ends their connection. */
export function refuseBytes(error: unknown, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, fields = '', message, code } = refusalOf(error);
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } });
  const head = `HTTP/1.1 ${status}\r\n${fields}connection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}
