import { realpathSync } from 'node:fs';
import { ObeliskError } from '../shared/errors.ts';
import { pathsOf } from './data-dir.ts';
import { describeOrigin } from './describe-settings.ts';
import type { Settings, ValueOrigin } from './settings.ts';

/**
 * Refuses a data directory inside a vault: nothing is ever written there, and Obsidian would
 * synchronise the indexes.
 * @throws ObeliskError `config_invalid`.
 */
export function requireDataOutsideVaults(
  { dataDir, vaults }: Pick<Settings, 'dataDir' | 'vaults'>,
  from: { readonly origins: ReadonlyMap<string, ValueOrigin>; readonly platform: NodeJS.Platform },
): void {
  const paths = pathsOf(from.platform);
  const data = realPlace(dataDir, paths);
  const around = vaults.find((vault) => isWithin(data, realPlace(vault.path, paths), paths));
  if (around === undefined) return;
  const origin = from.origins.get('data_dir') ?? { kind: 'default' };
  throw new ObeliskError(
    'config_invalid',
    `the data directory ${dataDir} (${describeOrigin(origin)}) lies inside the vault ${around.path}, where nothing is ever written; choose another with OBELISK_DATA_DIR or data_dir`,
  );
}

function isWithin(inner: string, outer: string, paths: ReturnType<typeof pathsOf>): boolean {
  const way = paths.relative(outer, inner);
  return !paths.isAbsolute(way) && way !== '..' && !way.startsWith(`..${paths.sep}`);
}

/** Where a path leads through every link; what does not exist yet is taken as it is written. */
function realPlace(written: string, paths: ReturnType<typeof pathsOf>): string {
  const parent = paths.dirname(written);
  try {
    return realpathSync.native(written);
  } catch {
    return parent === written ? written : paths.join(realPlace(parent, paths), paths.basename(written));
  }
}
