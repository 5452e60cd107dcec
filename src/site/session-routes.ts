import { ObeliskError } from '../shared/errors.ts';
import type { Handler } from '../wire/http.ts';
import { PAGE_POLICY, securityHeaders } from './security-headers.ts';
import type { Sessions } from './sessions.ts';

const MOST_BODY_BYTES = 4_096;

/** Serves `POST /obelisk/v1/session` with `{"key": …}`: opens a session of the page. */
export function openSessionHandler(sessions: Sessions): Handler {
  return async (request, response) => {
    // A form of another site cannot send this type without asking first.
    if (!/^application\/json\s*(;|$)/i.test(request.header('content-type') ?? '')) {
      throw new ObeliskError(
        'unsupported_media_type',
        'send the key as JSON with content-type: application/json',
      );
    }
    const key = readKey((await request.body(MOST_BODY_BYTES)).toString());
    answer(response, sessions.required ? sessions.open(key, request) : undefined);
  };
}

/** Serves `DELETE /obelisk/v1/session`: ends the session of the request's cookie. */
export function endSessionHandler(sessions: Sessions): Handler {
  return (request, response) => {
    answer(response, sessions.end(request));
  };
}

function answer(response: Parameters<Handler>[1], cookie: string | undefined): void {
  response.head(204, {
    ...securityHeaders(PAGE_POLICY),
    'cache-control': 'no-store',
    ...(cookie === undefined ? {} : { 'set-cookie': cookie }),
  });
  response.end();
}

function readKey(text: string): string {
  const body = parseJson(text);
  if (typeof body === 'object' && body !== null && 'key' in body && typeof body.key === 'string')
    return body.key;
  throw new ObeliskError('invalid_request', 'the body must be a JSON object with the text field "key"', {
    param: 'key',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ObeliskError('invalid_request', 'the body is not JSON; send {"key": "…"}', { cause });
  }
}
