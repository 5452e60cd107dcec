/** How a code is answered over HTTP, and what `docs/Errors.md` says of it. */
export type ErrorKind = {
  /** HTTP status; 0 where the error can only occur before a server exists (configuration, command line). */
  readonly status: number;
  /** OpenAI's `error.type`. */
  readonly type: string;
  /** One sentence for the errors page: when it occurs. */
  readonly meaning: string;
  /** One sentence for the errors page: what the reader can do. */
  readonly remedy: string;
};

/** The closed set of error codes. */
export type ErrorCode =
  | 'invalid_request'
  | 'context_length_exceeded'
  | 'unsupported'
  | 'invalid_api_key'
  | 'forbidden'
  | 'model_not_found'
  | 'not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'client_gone'
  | 'internal'
  | 'upstream_error'
  | 'upstream_unreachable'
  | 'upstream_invalid'
  | 'upstream_auth'
  | 'model_unavailable'
  | 'loop_detected'
  | 'overloaded'
  | 'upstream_timeout'
  | 'config_invalid'
  | 'vault_unreadable'
  | 'store_failed'
  | 'address_in_use'
  | 'unsafe_bind';

/** Every error Obelisk reports on purpose. `docs/Errors.md` is generated from this table. */
export const ERROR_KINDS: Readonly<Record<ErrorCode, ErrorKind>> = {
  invalid_request: {
    status: 400,
    type: 'invalid_request_error',
    meaning:
      'The request is malformed: bad JSON, a wrong type, a missing or refused field; or an upstream refused it, whose own 402 or 422 is passed on in place of 400.',
    remedy: 'Correct the field that the message names.',
  },
  context_length_exceeded: {
    status: 400,
    type: 'invalid_request_error',
    meaning: 'The prompt does not fit into the model’s context window. It is never cut in silence.',
    remedy: 'Shorten the prompt, or raise `num_ctx` in the request or in the configuration.',
  },
  unsupported: {
    status: 400,
    type: 'invalid_request_error',
    meaning: 'The chosen model cannot do what was asked (tools, images, thinking, embeddings).',
    remedy: 'Choose a model with that capability; `obelisk models` lists them.',
  },
  invalid_api_key: {
    status: 401,
    type: 'authentication_error',
    meaning:
      'A key is configured, or the route manages the server, and the request did not carry the right key.',
    remedy:
      'Send `Authorization: Bearer <key>`; for the management the master key, or the key in `server.token` in the data directory.',
  },
  forbidden: {
    status: 403,
    type: 'permission_error',
    meaning:
      'The Host or Origin of the request is not one this server answers to, the key opens models and vaults only, or a registry or a model that leaves the machine is not allowed.',
    remedy:
      'Use a loopback address, or list the name in `allowed_hosts` or `allowed_origins`; manage with the master key; allow what the message names in the configuration.',
  },
  model_not_found: {
    status: 404,
    type: 'invalid_request_error',
    meaning:
      'No model of that name is known, and the message names the nearest ones; or the upstream does not know it.',
    remedy:
      'Run `obelisk models`, or pull it: `ollama pull <name>`; of an upstream correct the model or the `api_base` of that deployment.',
  },
  not_found: {
    status: 404,
    type: 'invalid_request_error',
    meaning: 'There is no such route, vault or note.',
    remedy: 'Check the path that the message names.',
  },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    meaning: 'The route exists but not for this HTTP method.',
    remedy: 'Use the method named in the `allow` header.',
  },
  request_timeout: {
    status: 408,
    type: 'invalid_request_error',
    meaning: 'The request’s headers or body did not arrive in time.',
    remedy: 'Send the whole request at once.',
  },
  payload_too_large: {
    status: 413,
    type: 'invalid_request_error',
    meaning: 'The request body is larger than 16 MiB.',
    remedy: 'Send less in one request.',
  },
  unsupported_media_type: {
    status: 415,
    type: 'invalid_request_error',
    meaning: 'The body of a POST is not declared as `application/json`.',
    remedy: 'Send `content-type: application/json`.',
  },
  rate_limited: {
    status: 429,
    type: 'rate_limit_error',
    meaning:
      'An upstream refused the request because of its rate limit, or every deployment of the model is at the limit that its configuration sets.',
    remedy: 'Wait for the time in `retry-after`, or some seconds where there is none.',
  },
  client_gone: {
    status: 499,
    type: 'client_error',
    meaning: 'The client closed the connection before the answer was complete. Seen in logs only.',
    remedy: 'Nothing to do.',
  },
  internal: {
    status: 500,
    type: 'server_error',
    meaning: 'A defect in Obelisk. The log has the details under the request id.',
    remedy: 'Report it with the log lines of that request id.',
  },
  upstream_error: {
    status: 502,
    type: 'server_error',
    meaning: 'The upstream answered with an error of its own, which the message quotes.',
    remedy: 'Look at the upstream’s log.',
  },
  upstream_unreachable: {
    status: 502,
    type: 'server_error',
    meaning: 'The upstream could not be reached, or the connection broke.',
    remedy: 'Check that it runs at the address the message names.',
  },
  upstream_invalid: {
    status: 502,
    type: 'server_error',
    meaning: 'The upstream’s answer was not what its protocol promises, or it ended without being complete.',
    remedy: 'Check that the address is the right kind of server.',
  },
  upstream_auth: {
    status: 502,
    type: 'server_error',
    meaning: 'The upstream refused the key that Obelisk holds for it.',
    remedy: 'Correct the `api_key` of that deployment.',
  },
  model_unavailable: {
    status: 503,
    type: 'server_error',
    meaning: 'The model is known, but the host that serves it is away.',
    remedy: 'Start the host that the message names.',
  },
  loop_detected: {
    status: 508,
    type: 'server_error',
    meaning: 'A request came back to the Obelisk that sent it: a deployment points at this server itself.',
    remedy: 'Correct the `api_base` that the message names, or move one of the two to another port.',
  },
  overloaded: {
    status: 503,
    type: 'server_error',
    meaning:
      'The server is starting, stopping or has too much to do, or the queue of the model is full, or the request has waited in it for all the time it had.',
    remedy: 'Try again after the time in `retry-after`, or soon where there is none.',
  },
  upstream_timeout: {
    status: 504,
    type: 'server_error',
    meaning: 'The upstream did not answer in time.',
    remedy: 'Check its load; a cold local model can take minutes.',
  },
  config_invalid: {
    status: 0,
    type: 'config_error',
    meaning: 'The configuration file, an environment variable or a flag is wrong.',
    remedy: 'Correct the line that the message names.',
  },
  vault_unreadable: {
    status: 0,
    type: 'vault_error',
    meaning: 'A vault’s folder does not exist or cannot be read.',
    remedy: 'Correct the path.',
  },
  store_failed: {
    status: 500,
    type: 'store_error',
    meaning: 'The data directory or a file in it cannot be used.',
    remedy: 'Check space and permissions of the path that the message names.',
  },
  address_in_use: {
    status: 0,
    type: 'listen_error',
    meaning: 'Another program listens on the port.',
    remedy: 'Stop it, or choose another port with `--port`.',
  },
  unsafe_bind: {
    status: 0,
    type: 'listen_error',
    meaning: 'Binding beyond loopback was asked for without a master key.',
    remedy: 'Set `general_settings.master_key`, or bind to 127.0.0.1.',
  },
};

/** What an error may carry beside its message. */
export type ErrorDetails = {
  readonly cause?: unknown;
  /** OpenAI's `error.param`: the field of the request that is at fault. */
  readonly param?: string | undefined;
  /** Seconds for the `retry-after` header. */
  readonly retryAfter?: number | undefined;
  /** HTTP status of the upstream's answer, where its head had come; a failure in the middle of a 200 says 200. */
  readonly upstreamStatus?: number | undefined;
  /**
   * Whether the message is Obelisk's own words and nothing of a request, so that the log may have it:
   * messages of the same code may quote an upstream, which may quote the prompt.
   */
  readonly ownWords?: boolean;
  /** The upstream's own code, told to the client in place of ours; everything else here goes by ours. */
  readonly upstreamCode?: string | undefined;
};

/** Statuses by which upstreams refuse a request, and which clients tell from 400: no credit, and fields that are wrong. */
const KEPT_STATUSES: ReadonlySet<number | undefined> = new Set([402, 422]);

/** The one error class. Anything else that is thrown is a defect and answered as `internal`. */
export class ObeliskError extends Error {
  override readonly name = 'ObeliskError';
  readonly code: ErrorCode;
  readonly param: string | undefined;
  readonly retryAfter: number | undefined;
  readonly upstreamStatus: number | undefined;
  readonly upstreamCode: string | undefined;
  readonly ownWords: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.param = details.param;
    this.retryAfter = details.retryAfter;
    this.upstreamStatus = details.upstreamStatus;
    this.upstreamCode = details.upstreamCode;
    this.ownWords = details.ownWords === true;
  }

  /** HTTP status of the code; an upstream's refusal of the request keeps its own where clients tell it from 400. */
  get status(): number {
    const { code, upstreamStatus } = this;
    const kept = code === 'invalid_request' && KEPT_STATUSES.has(upstreamStatus);
    return (kept ? upstreamStatus : undefined) ?? ERROR_KINDS[code].status;
  }

  /** OpenAI's `error.type` of the code. */
  get type(): string {
    return ERROR_KINDS[this.code].type;
  }

  /** The same error with more details, and itself as the cause. */
  with(details: ErrorDetails): ObeliskError {
    const { code, message, param, retryAfter, upstreamStatus, upstreamCode, ownWords } = this;
    const own = { cause: this, param, retryAfter, upstreamStatus, upstreamCode, ownWords };
    return new ObeliskError(code, message, { ...own, ...details });
  }
}

/** Narrows to Obelisk's own error. */
export function isObeliskError(error: unknown): error is ObeliskError {
  return error instanceof ObeliskError;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Node's `error.code` (`ECONNREFUSED`…), looked for along the chain of causes. */
export function systemCodeOf(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 8; depth += 1) {
    if ('code' in current && typeof current.code === 'string') return current.code;
    current = current.cause;
  }
  return undefined;
}
