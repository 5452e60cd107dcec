import type { VaultEntry } from '../../config/settings.ts';
import type { VaultLibrary } from '../library.ts';
import { VaultShelf } from './vault-shelf.ts';
import type { VaultShelfOptions } from './vault-shelf.ts';

/** What a library is made from. */
export type VaultLibraryOptions = VaultShelfOptions & { readonly vaults: readonly VaultEntry[] };

/**
 * Opens vaults for search on a shelf of their own: starts the worker thread, which indexes them, and
 * returns at once. Searches are answered from what is indexed so far.
 */
export function createVaultLibrary(options: VaultLibraryOptions): VaultLibrary {
  const shelf = new VaultShelf(options);
  return shelf.open(options.vaults, () => shelf.close());
}
