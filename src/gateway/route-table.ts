import { ObeliskError } from '../shared/errors.ts';
import type { Handler } from '../wire/http.ts';
import type { Call } from './call.ts';
import type { KeyLevel } from './key-check.ts';

/** One route. Tests enumerate them, so that no route is without a decision on who may call it. */
export type Route = {
  /** HEAD is served by GET, OPTIONS by the preflight. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A path, or with `*` at its end everything below it. */
  readonly path: string;
  /** `open`: for everybody who reaches the server; else what the key check says of the level. */
  readonly access: 'open' | KeyLevel;
  /** Answered even while no new work is taken: who watches the process must see why. */
  readonly always?: true;
  /**
   * `any`: the body is read whatever type it is declared as, as Ollama does, whose documentation declares
   * none; but for requests of web pages. JSON otherwise.
   */
  readonly body?: 'any';
} & (
  | { readonly handle: (call: Call) => void | Promise<void> }
  /** For modules that know the seam to the transports only. */
  | { readonly handler: Handler }
);

/** Finds the route of a request. */
export type RouteTable = {
  readonly routes: readonly Route[];
  /**
   * @throws ObeliskError `not_found` naming the nearest route, `method_not_allowed`.
   */
  find(method: string, path: string): Route;
  /** Methods of a path, for `allow`; empty when there is no such path. */
  methodsOf(path: string): readonly string[];
};

type ByMethod = Map<string, Route>;

/**
 * Creates the table. An exact path is one look-up; the few prefixes are walked, longest first, only
 * when that finds nothing.
 */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const exact = new Map<string, ByMethod>();
  const prefixes = new Map<string, ByMethod>();
  for (const route of routes) {
    if (route.path.endsWith('*')) register(prefixes, route.path.slice(0, -1), route);
    else register(exact, route.path, route);
  }
  const longestFirst = [...prefixes].sort(([a], [b]) => b.length - a.length);
  const byMethodOf = (path: string): ByMethod | undefined =>
    exact.get(path) ??
    longestFirst.find(([prefix]) => path.length > prefix.length && path.startsWith(prefix))?.[1];
  const methodsOf = (path: string): readonly string[] => [...(byMethodOf(path)?.keys() ?? [])];
  return {
    routes,
    methodsOf,
    find(method, path) {
      const byMethod = byMethodOf(path);
      if (!byMethod) throw unknownRoute(method, path, routes);
      const route = byMethod.get(method === 'HEAD' ? 'GET' : method);
      if (route) return route;
      const allowed = [...byMethod.keys()].join(' or ');
      throw new ObeliskError('method_not_allowed', `${method} is not served at this path; use ${allowed}`);
    },
  };
}

function register(paths: Map<string, ByMethod>, path: string, route: Route): void {
  const byMethod: ByMethod = paths.get(path) ?? new Map<string, Route>();
  if (byMethod.has(route.method)) throw new Error(`two routes for ${route.method} ${route.path}`);
  byMethod.set(route.method, route);
  paths.set(path, byMethod);
}

/** Paths are chosen by clients: what is quoted of them is short and plain. */
function unknownRoute(method: string, path: string, routes: readonly Route[]): ObeliskError {
  const shown = path.replaceAll(/[^\u0021-\u007E]/g, '?').slice(0, 80);
  const near = OPENAI_PATHS.test(path) ? routes.filter((route) => OPENAI_PATHS.test(route.path)) : routes;
  const nearest = nearestRoute(method, path, near);
  const hint = nearest ? `; did you mean ${nearest.method} ${nearest.path}?` : hintOf(path, routes);
  return new ObeliskError('not_found', `there is no route ${method} ${shown}${hint}`);
}

/** Where the routes of other dialects (`/v1/responses`, `/v1/messages`) are asked for, and a base URL alone. */
const OPENAI_PATHS = /^\/v1(?:\/|$)/;
const CHAT = '/v1/chat/completions';

function hintOf(path: string, routes: readonly Route[]): string {
  const hasChat = OPENAI_PATHS.test(path) && routes.some((route) => route.path === CHAT);
  return hasChat ? `; chat is served at POST ${CHAT}` : '';
}

/** The route with most words of the path in common; on a tie the one of the same method, then the shorter. */
function nearestRoute(method: string, path: string, routes: readonly Route[]): Route | undefined {
  const asked = wordsOf(path);
  let best: { readonly route: Route; readonly score: number } | undefined;
  for (const route of routes) {
    const words = wordsOf(route.path);
    const shared = [...words].filter((word) => asked.has(word)).length;
    const score = shared * 2 - words.size * 0.1 + (route.method === method ? 0.5 : 0);
    if (shared > 0 && (best === undefined || score > best.score)) best = { route, score };
  }
  return best?.route;
}

function wordsOf(path: string): ReadonlySet<string> {
  const words = path
    .slice(0, 200)
    .toLowerCase()
    .split(/[^a-z]+/);
  // The version stands in half of all routes and says nothing; singular and plural are one word.
  return new Set(words.filter((word) => word !== '' && word !== 'v').map((word) => word.replace(/s$/, '')));
}
