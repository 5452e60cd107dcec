import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HttpRequest } from '../wire/http.ts';
import { scanTopLevel } from '../wire/json-scan.ts';
import type { Scan, ScanRules } from '../wire/json-scan.ts';

/** Largest body that is read, in bytes. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Fields by which a client would choose where a request goes or whose key it carries: an upstream
 * that reads them (LiteLLM does) would send the operator's key to the client's server.
 */
const REFUSED_FIELDS: ReadonlySet<string> = new Set([
  'api_base',
  'base_url',
  'api_key',
  'api_version',
  'extra_headers',
  'headers',
  'custom_llm_provider',
  'litellm_credential_name',
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
  'vertex_credentials',
  'azure_ad_token',
]);

const RULES: ScanRules = { refusedKeys: REFUSED_FIELDS };

/**
 * Reads a body once and finds its top-level fields without parsing it, at once where it has arrived.
 * @throws ObeliskError as `HttpRequest.body` and `scanTopLevel` say.
 */
export function readJsonBody(request: HttpRequest): Scan | Promise<Scan> {
  const body = request.body(BODY_LIMIT_BYTES);
  return body instanceof Promise ? body.then(scanBody) : scanBody(body);
}

function scanBody(body: Buffer): Scan {
  return scanTopLevel(body, RULES);
}

/** Bodies beyond this take milliseconds a step. */
const HEAVY_BYTES = 1024 * 1024;

/**
 * Lets everybody else have a turn of the event loop between two steps with a large body: scanning,
 * parsing and serialising 16 MiB in one go would hold up every stream for a quarter of a second.
 * Undefined for a small one, which has nothing to wait for.
 */
export function letOthersGoFirst({ body }: Scan): Promise<void> | undefined {
  return body.length > HEAVY_BYTES ? nextTurn() : undefined;
}

/** The whole body parsed, with the configuration's defaults where it is silent. */
export function parseWithDefaults(scan: Scan, defaults: Readonly<Record<string, unknown>>): object {
  // The scan has shown that this is one object.
  const body = JSON.parse(scan.body.toString()) as Readonly<Record<string, unknown>>;
  return { ...defaults, ...body };
}
