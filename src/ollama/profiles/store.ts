import { existsSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

import { isObeliskError, messageOf, ObeliskError } from '../../shared/errors.ts';
import { RUNNER_OPTIONS } from '../../shared/ollama-options.ts';
import { inTransaction, openDatabase } from '../../store/database.ts';
import type { Logger } from '../../telemetry/log.ts';

import { isEmptyValues } from './profile-values.ts';
import type { ProfileValues } from './profile-values.ts';

/** Name of the file in the data directory that holds what was set at run time. */
export const PROFILES_FILE = 'profiles.sqlite';

/** What a stored profile is for. */
export type ProfileScope = {
  /** Key of the model's name; empty for every model. */
  readonly model: string;
  /** Name of the host in the configuration; empty for every host. */
  readonly host: string;
};

/** One stored profile. */
export type StoredProfile = ProfileScope & { readonly values: ProfileValues };

/** What was set at run time, across restarts. Read from memory, written through. */
export type ProfileStore = {
  of(scope: ProfileScope): ProfileValues | undefined;
  all(): readonly StoredProfile[];
  /**
   * Replaces what is stored for a scope by what `change` makes of it; nothing said removes it.
   * @throws ObeliskError `store_failed`.
   */
  change(scope: ProfileScope, change: (before: ProfileValues) => ProfileValues): void;
};

const MIGRATIONS = [
  `CREATE TABLE profile (
    model TEXT NOT NULL,
    host TEXT NOT NULL,
    profile TEXT NOT NULL,
    PRIMARY KEY (model, host)
  ) STRICT`,
];

const rowSchema = z.lazy(() => z.object({ model: z.string(), host: z.string(), profile: z.string() }));

const valuesSchema = z.lazy(() =>
  z.object({
    options: z.record(z.string(), z.union([z.number(), z.boolean()])),
    keepAlive: z.number().optional(),
    requestOptions: z.array(z.string()).optional(),
  }),
);

const NOTHING: ProfileValues = { options: {} };

/**
 * Opens the profiles of a data directory. The file is made by the first change, and open only while
 * it is read or written: both are rare, and short. A file that cannot be read is told to the log, and
 * the configuration counts alone; it is never replaced.
 */
export function openProfileStore(dataDir: string, logger: Logger): ProfileStore {
  const file = path.join(dataDir, PROFILES_FILE);
  let stored = new Map<string, StoredProfile>();
  const remember = (database: DatabaseSync): void => {
    stored = new Map(readAll(database).map((one) => [keyOf(one), one]));
  };
  if (existsSync(file)) {
    try {
      withDatabase(file, remember);
    } catch (error) {
      logger.error('the profiles that were set at run time cannot be read: the configuration counts alone', {
        file,
        reason: messageOf(error),
      });
    }
  }
  return {
    of: (scope) => stored.get(keyOf(scope))?.values,
    all: () => [...stored.values()],
    change(scope, change) {
      // Another process may have changed it since: what is on disk is what is changed.
      withDatabase(file, (database) => {
        inTransaction(database, () => {
          remember(database);
          write(database, { ...scope, values: change(stored.get(keyOf(scope))?.values ?? NOTHING) });
        });
        remember(database);
      });
    },
  };
}

function withDatabase<T>(file: string, use: (database: DatabaseSync) => T): T {
  const { database } = openDatabase({ file, migrations: MIGRATIONS, derived: false });
  try {
    return use(database);
  } catch (error) {
    if (isObeliskError(error)) throw error;
    const message = `the profiles in ${file} cannot be used (${messageOf(error)}); check space and permissions of its folder`;
    throw new ObeliskError('store_failed', message, { cause: error });
  } finally {
    database.close();
  }
}

function write(database: DatabaseSync, { model, host, values }: StoredProfile): void {
  if (isEmptyValues(values)) {
    database.prepare('DELETE FROM profile WHERE model = ? AND host = ?').run(model, host);
    return;
  }
  database
    .prepare('INSERT OR REPLACE INTO profile (model, host, profile) VALUES (?, ?, ?)')
    .run(model, host, JSON.stringify(values));
}

function readAll(database: DatabaseSync): readonly StoredProfile[] {
  const rows = database.prepare('SELECT model, host, profile FROM profile ORDER BY model, host').all();
  return rows.map((row) => {
    const { model, host, profile } = rowSchema.parse(row);
    return { model, host, values: readValues(profile) };
  });
}

/** Options that a newer program knew are left out: Ollama is never sent what is not understood. */
function readValues(text: string): ProfileValues {
  const { options, keepAlive, requestOptions } = valuesSchema.parse(JSON.parse(text));
  const known = Object.entries(options).filter(([name]) => Object.hasOwn(RUNNER_OPTIONS, name));
  return {
    options: Object.fromEntries(known),
    ...(keepAlive === undefined ? {} : { keepAlive }),
    ...(requestOptions === undefined ? {} : { requestOptions }),
  };
}

function keyOf({ model, host }: ProfileScope): string {
  return `${model}\n${host}`;
}
