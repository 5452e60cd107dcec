import type { z } from 'zod';
import { toReportedError } from '../providers/openai/from-event.ts';
import { ObeliskError } from '../shared/errors.ts';
import { parseJson } from '../shared/parse-json.ts';
import type { Secret } from '../shared/secret.ts';
import type { Headers } from '../wire/http.ts';
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from '../wire/upstream.ts';

const MAX_BYTES = 32 * 1024 * 1024;

/** Speaks with a running server of the same version. Every call throws ObeliskError with the server's own message. */
export type RemoteExchange = {
  readonly url: string;
  /** Sends a request whose answer must be a success. */
  send(request: RemoteRequest, signal?: AbortSignal): Promise<UpstreamResponse>;
  /** Sends a request and reads its answer. */
  read<Value>(request: RemoteRequest, schema: z.ZodType<Value>, signal?: AbortSignal): Promise<Value>;
};

/** One request to the server. */
export type RemoteRequest = Pick<UpstreamRequest, 'path' | 'method' | 'clocks' | 'body'>;

/** What the server is reached with. */
export type RemoteOptions = {
  readonly url: string;
  readonly key: Secret | undefined;
  readonly client: UpstreamClient;
};

/** Creates the exchange. */
export function createRemoteExchange({ url, key, client }: RemoteOptions): RemoteExchange {
  const headers: Headers = {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` }),
  };
  const { origin } = new URL(url);
  const send: RemoteExchange['send'] = async (request, signal) => {
    const response = await client.request({ origin, headers, ...request }, signal);
    if (response.status < 200 || response.status > 299) throw await toError(response);
    return response;
  };
  return {
    url,
    send,
    async read(request, schema, signal) {
      const response = await send(request, signal);
      const parsed = schema.safeParse(parseJson((await response.bytes(MAX_BYTES)).toString('utf8')));
      if (parsed.success) return parsed.data;
      throw notOurs(`${url}${request.path}`);
    },
  };
}

/** Something of the server that this version does not understand. */
export function notOurs(place: string): ObeliskError {
  return new ObeliskError(
    'upstream_invalid',
    `${place} did not answer as this version of Obelisk does; restart the server`,
  );
}

async function toError(response: UpstreamResponse): Promise<ObeliskError> {
  const text = (await response.bytes(64 * 1024)).toString('utf8');
  const told = toReportedError(parseJson(text));
  return told ?? new ObeliskError('upstream_error', `the running server answered ${response.status}`);
}
