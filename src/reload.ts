import { statSync } from 'node:fs';
import type { House } from './assemble.ts';
import type { LoadedConfig, VaultEntry } from './config/settings.ts';
import { requireVaults } from './require-vaults.ts';
import { isObeliskError, messageOf, ObeliskError } from './shared/errors.ts';

/** What came of a reload. */
export type Reloaded = {
  /** Names of settings that changed but take effect only after a restart. */
  readonly needRestart: readonly string[];
};

/**
 * Loads the configuration anew and puts it in force, or says in the log why the old one stays.
 * @throws ObeliskError what is wrong with the new configuration, naming file, line and column.
 */
export async function reloadHouse(house: House, load: () => LoadedConfig): Promise<Reloaded> {
  const { logger, reloads } = house.lasting;
  const before = house.config();
  try {
    requireRereadable(before.file);
    const config = load();
    requireFile(config, before);
    await requireVaults(addedVaults(config, before));
    const needRestart = await house.reload(config);
    reloads.note('ok');
    logger.info('the configuration was reloaded', { file: config.file });
    for (const setting of needRestart)
      logger.warn('a setting that changed takes effect only after a restart', { setting });
    for (const notice of newNotices(config, before)) logger.warn('about the configuration', { notice });
    return { needRestart };
  } catch (error) {
    reloads.note('failed');
    const stack = error instanceof Error && !isObeliskError(error) ? error.stack : undefined;
    for (const reason of messageOf(error).split('\n'))
      logger.error('the configuration was not reloaded; the old one stays', { reason, stack });
    throw error;
  }
}

/** A pipe and a device give their text once, and to open one that nobody writes to holds everybody up for ever. */
function requireRereadable(file: string | undefined): void {
  if (file === undefined || !isPipeOrDevice(file)) return;
  throw new ObeliskError(
    'config_invalid',
    `the configuration file ${file} is a pipe or a device, which cannot be read anew; start the server again`,
  );
}

function isPipeOrDevice(file: string): boolean {
  try {
    const facts = statSync(file);
    return !facts.isFile() && !facts.isDirectory();
  } catch {
    // Why it cannot be read is told by whoever reads it.
    return false;
  }
}

/**
 * A file that is gone or empty is a mistake, a full disk or an edit under way, and no wish for the
 * defaults: they have no models and no keys.
 */
function requireFile(config: LoadedConfig, before: LoadedConfig): void {
  if (before.file === undefined || setsSomething(config) || !setsSomething(before)) return;
  const fault = config.file === undefined ? 'does not exist any more' : 'is empty';
  throw new ObeliskError('config_invalid', `the configuration file ${before.file} ${fault}`);
}

function setsSomething({ origins }: LoadedConfig): boolean {
  return [...origins.values()].some(({ kind }) => kind === 'file');
}

/** Those that were there before may be away for a while; their indexes wait for them. */
function addedVaults(config: LoadedConfig, before: LoadedConfig): readonly VaultEntry[] {
  const known = new Set(before.settings.vaults.map(({ path }) => path));
  return config.settings.vaults.filter(({ path }) => !known.has(path));
}

function newNotices(config: LoadedConfig, before: LoadedConfig): readonly string[] {
  const told = new Set(sentencesOf(before));
  return sentencesOf(config).filter((sentence) => !told.has(sentence));
}

function sentencesOf({ notices, noEffect }: LoadedConfig): readonly string[] {
  return [...notices, ...noEffect.map(({ key }) => `${key} has no effect yet`)];
}
