import { ObeliskError } from '../shared/errors.ts';
import { toDoorError } from '../providers/ollama/door/door-error.ts';
import type { Handler, HttpRequest, HttpResponse } from '../wire/http.ts';
import type { Admission } from './admission.ts';
import { Call } from './call.ts';
import type { CallObserver } from './call.ts';
import { hopsOf } from './hops.ts';
import { createKeyCheck } from './key-check.ts';
import type { KeyCheck, KeyRules } from './key-check.ts';
import { createOriginPolicy } from './origin-policy.ts';
import type { OriginPolicy, OriginRules } from './origin-policy.ts';
import { answerPreflight, isPreflight } from './preflight.ts';
import { createRouteTable } from './route-table.ts';
import type { Route, RouteTable } from './route-table.ts';

/** Who may use the server. */
export type AccessRules = OriginRules & Omit<KeyRules, 'monotonicMs'>;

/** What the handler of every request is made of. */
export type DispatchOptions = {
  readonly routes: readonly Route[];
  readonly access: AccessRules;
  readonly observer: CallObserver;
  readonly admission: Admission;
  /** Names each request. */
  readonly idOf: (request: HttpRequest) => string;
  /** Tells this process from another, to know its own requests when they come back. */
  readonly instanceId: string;
};

/** Where Ollama's own API is served: its clients read its errors only. */
const OLLAMA_PATHS = '/api/';

type Gate = {
  readonly table: RouteTable;
  readonly origins: OriginPolicy;
  readonly keys: KeyCheck;
  readonly admission: Admission;
  readonly instanceId: string;
};

/**
 * Creates the handler of every request: checks who asks, finds the route, and sees to it that the
 * call has exactly one outcome.
 */
export function createDispatcher(options: DispatchOptions): Handler {
  const { routes, access, observer, admission, idOf, instanceId } = options;
  const gate: Gate = {
    instanceId,
    admission,
    table: createRouteTable(routes),
    origins: createOriginPolicy(access),
    keys: createKeyCheck({ ...access, monotonicMs: observer.monotonicMs }),
  };
  return (request, response) => {
    const call = new Call(idOf(request), { request, response }, observer);
    try {
      const running = serve(call, gate);
      if (running === undefined) settle(call);
      return running?.then(() => settle(call)).catch((error: unknown) => fail(call, error, gate));
    } catch (error) {
      return fail(call, error, gate);
    }
  };
}

function settle(call: Call): void {
  const { response } = call;
  if (response.closed) call.settle(response.started ? 'ok' : 'client_gone');
}

function fail(call: Call, error: unknown, { table }: Gate): void {
  call.fail(error, headersFor(error, call, table));
}

/** Answers a request, or rejects or throws with why it is not answered. */
function serve(call: Call, gate: Gate): void | Promise<void> {
  const { table, origins, keys, instanceId } = gate;
  const { request } = call;
  if (request.path.startsWith(OLLAMA_PATHS)) call.errorBody = toDoorError;
  call.hops = hopsOf(request, instanceId);
  const trusted = request.remoteAddress === 'process';
  if (!trusted) call.corsOrigin = origins(request);
  if (isPreflight(request)) {
    answerPreflight(call, table.methodsOf(request.path));
    return;
  }
  const route = table.find(request.method, request.path);
  call.route = route.path;
  call.quiet = route.access === 'open';
  if (route.access !== 'open') {
    // What a request taken earlier asks of us inside the process belongs to that request.
    if (gate.admission.refusal !== undefined && !trusted && route.always !== true)
      throw gate.admission.refusal;
    keys.require(request, route.access);
  }
  call.authorized = route.access === 'open' ? keys.holds(request) : route.access !== 'key';
  if (!trusted) requireBodyOf(route, request);
  return 'handle' in route ? route.handle(call) : route.handler(request, observed(call));
}

function requireBodyOf({ method, body }: Route, request: HttpRequest): void {
  const hasBody = method === 'POST' || method === 'PUT' || method === 'PATCH';
  if (hasBody && (body !== 'any' || isOfPage(request))) requireJson(request);
}

/** Whether a browser sends it: browsers name the page's origin, or say how the request came about. */
function isOfPage(request: HttpRequest): boolean {
  return ['origin', 'sec-fetch-site', 'referer'].some((name) => request.header(name) !== undefined);
}

/** A form of a foreign page cannot send this type without a preflight, which it will not pass. */
function requireJson(request: HttpRequest): void {
  const type = request.header('content-type') ?? '';
  const encoding = request.header('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new ObeliskError('unsupported_media_type', 'send the body as it is, without content-encoding');
  }
  if (type === 'application/json' || /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(type))
    return;
  throw new ObeliskError('unsupported_media_type', 'send the body as content-type: application/json');
}

/** The response, with the head going through the call, which adds its headers and knows the status. */
function observed(call: Call): HttpResponse {
  const { response } = call;
  return {
    get started() {
      return response.started;
    },
    get closed() {
      return response.closed;
    },
    head: (status, headers) => call.head(status, headers),
    write: (chunk) => response.write(chunk),
    onDrain: (listener) => response.onDrain(listener),
    end: (chunk) => response.end(chunk),
    destroy: () => response.destroy(),
  };
}

function headersFor(error: unknown, call: Call, table: RouteTable): Readonly<Record<string, string>> {
  if (!(error instanceof ObeliskError)) return {};
  if (error.code === 'method_not_allowed') return { allow: table.methodsOf(call.request.path).join(', ') };
  return error.code === 'invalid_api_key' ? { 'www-authenticate': 'Bearer' } : {};
}
