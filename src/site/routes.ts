import type { VaultLibrary } from '../rag/library.ts';
import type { Handler } from '../wire/http.ts';
import { assetHandler, readAssets } from './assets.ts';
import { indexHandler, notePageHandler } from './page.ts';
import { endSessionHandler, openSessionHandler } from './session-routes.ts';
import type { Sessions } from './sessions.ts';
import { noteHandler, searchHandler, vaultListHandler } from './vault-api.ts';
import { vaultFileHandler } from './vault-files.ts';

/** One route of the site. */
export type SiteRoute = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** A path, or with `*` at its end everything below it. */
  readonly path: string;
  /** `key`: only with the master key or a session, where a key is set. `open`: for everybody. */
  readonly access: 'open' | 'key';
  readonly handler: Handler;
};

/** What the site shows, and to whom. */
export type SiteDependencies = {
  readonly library: Pick<VaultLibrary, 'names' | 'status' | 'search' | 'note'>;
  readonly sessions: Sessions;
};

/**
 * The routes of the page. Open ones carry nothing of a vault: the page asks for the key itself, and
 * the note page shows its note only to a session.
 */
export function siteRoutes({ library, sessions }: SiteDependencies): readonly SiteRoute[] {
  const assets = readAssets();
  return [
    { method: 'GET', path: '/', access: 'open', handler: indexHandler({ assets, sessions }) },
    { method: 'GET', path: '/assets/*', access: 'open', handler: assetHandler(assets) },
    {
      method: 'GET',
      path: '/vault/*',
      access: 'open',
      handler: notePageHandler({ library, sessions, assets }),
    },
    { method: 'GET', path: '/vault-files/*', access: 'key', handler: vaultFileHandler(library) },
    { method: 'GET', path: '/obelisk/v1/vaults', access: 'key', handler: vaultListHandler(library) },
    { method: 'GET', path: '/obelisk/v1/vaults/*', access: 'key', handler: noteHandler(library) },
    { method: 'GET', path: '/obelisk/v1/search', access: 'key', handler: searchHandler(library) },
    { method: 'POST', path: '/obelisk/v1/session', access: 'open', handler: openSessionHandler(sessions) },
    { method: 'DELETE', path: '/obelisk/v1/session', access: 'open', handler: endSessionHandler(sessions) },
  ];
}
