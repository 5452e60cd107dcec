import type { VaultLibrary } from '../rag/library.ts';
import type { Handler } from '../wire/http.ts';
import { assetHandler, readAssets } from './assets.ts';
import { indexHandler, notePageHandler } from './page.ts';
import { endSessionHandler, openSessionHandler } from './session-routes.ts';
import type { Sessions } from './sessions.ts';
import { noteHandler, searchHandler, vaultListHandler } from './vault-api.ts';
import { vaultFileHandler } from './vault-files.ts';

/** What the site shows, and to whom. */
export type SiteDependencies = {
  readonly library: Pick<VaultLibrary, 'names' | 'status' | 'search' | 'note'>;
  readonly sessions: Sessions;
};

/** What serves the routes of the page. */
export type SiteHandlers = Readonly<
  Record<
    | 'index'
    | 'assets'
    | 'notePage'
    | 'vaultFile'
    | 'vaultList'
    | 'note'
    | 'search'
    | 'openSession'
    | 'endSession',
    Handler
  >
>;

/** Creates the handlers of the page and reads its files. */
export function createSiteHandlers({ library, sessions }: SiteDependencies): SiteHandlers {
  const assets = readAssets();
  return {
    index: indexHandler({ assets, sessions }),
    assets: assetHandler(assets),
    notePage: notePageHandler({ library, sessions, assets }),
    vaultFile: vaultFileHandler(library),
    vaultList: vaultListHandler(library),
    note: noteHandler(library),
    search: searchHandler(library),
    openSession: openSessionHandler(sessions),
    endSession: endSessionHandler(sessions),
  };
}
