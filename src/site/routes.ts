import type { Handler } from '../wire/http.ts';
import type { SiteDependencies, SiteHandlers } from './handlers.ts';

/** One route of the site. */
export type SiteRoute = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** A path, or with `*` at its end everything below it. */
  readonly path: string;
  /** `key`: only with the master key or a session, where a key is set. `open`: for everybody. */
  readonly access: 'open' | 'key';
  readonly handler: Handler;
};

const ROUTES: readonly (readonly [
  method: SiteRoute['method'],
  path: string,
  access: SiteRoute['access'],
  handler: keyof SiteHandlers,
])[] = [
  ['GET', '/', 'open', 'index'],
  ['GET', '/assets/*', 'open', 'assets'],
  ['GET', '/vault/*', 'open', 'notePage'],
  ['GET', '/vault-files/*', 'key', 'vaultFile'],
  ['GET', '/obelisk/v1/vaults', 'key', 'vaultList'],
  ['GET', '/obelisk/v1/vaults/*', 'key', 'note'],
  ['GET', '/obelisk/v1/search', 'key', 'search'],
  ['POST', '/obelisk/v1/session', 'open', 'openSession'],
  ['DELETE', '/obelisk/v1/session', 'open', 'endSession'],
];

/**
 * The routes of the page. Open ones carry nothing of a vault: the page asks for the key itself, and
 * the note page shows its note only to a session. What serves them is loaded with the first request
 * for one of them, because most gateways never get any.
 */
export function siteRoutes(dependencies: SiteDependencies): readonly SiteRoute[] {
  let handlers: SiteHandlers | undefined;
  const load = async (): Promise<SiteHandlers> => {
    const { createSiteHandlers } = await import('./handlers.ts');
    handlers ??= createSiteHandlers(dependencies);
    return handlers;
  };
  return ROUTES.map(([method, path, access, name]) => ({
    method,
    path,
    access,
    async handler(request, response) {
      const loaded = handlers ?? (await load());
      await loaded[name](request, response);
    },
  }));
}
