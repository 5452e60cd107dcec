import { existsSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { messageOf, ObeliskError } from '../../shared/errors.ts';
import { openDatabase } from '../../store/database.ts';
import { textColumn } from '../../store/row.ts';
import type { Row } from '../../store/row.ts';
import { acquireWriterLock } from '../../store/writer-lock.ts';
import type { Logger } from '../../telemetry/log.ts';
import { job as jobSchema } from '../control-plane-schema.ts';
import type { Job } from '../control-plane.ts';

/** Where jobs outlive the process. */
export type JobStore = {
  /** Whether an earlier process left jobs. */
  readonly exists: boolean;
  /**
   * Opens the file and reads every job, the oldest first.
   * @throws ObeliskError `store_failed`, also where another process has it.
   */
  open(): readonly Job[];
  /**
   * Writes a job as it is now; once this has returned, a killed process is survived.
   * @throws ObeliskError `store_failed`.
   */
  save(job: Job): void;
  forget(id: string): void;
  close(): void;
};

/** Name of the file in the data directory. */
export const JOBS_FILE = 'jobs.sqlite';

const MIGRATIONS = [
  `CREATE TABLE job (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     state TEXT NOT NULL,
     job TEXT NOT NULL
   ) STRICT`,
];

type Opened = {
  readonly database: DatabaseSync;
  readonly save: StatementSync;
  readonly forget: StatementSync;
  release(): void;
};

/** Creates the store of a data directory; no file is touched before it is opened. */
export function createJobStore(dataDir: string, logger: Logger): JobStore {
  const file = path.join(dataDir, JOBS_FILE);
  let opened: Opened | undefined;
  const require = (): Opened => {
    if (opened !== undefined) return opened;
    throw new ObeliskError('store_failed', `the store ${file} is not open; start Obelisk again`);
  };
  return {
    get exists() {
      return existsSync(file);
    },
    open() {
      opened ??= openFile(file);
      return opened.database
        .prepare('SELECT id, job FROM job ORDER BY sequence')
        .all()
        .flatMap((row) => readJob(row, logger));
    },
    save(job) {
      told(file, () => void require().save.run({ id: job.id, state: job.state, job: JSON.stringify(job) }));
    },
    forget(id) {
      told(file, () => void require().forget.run({ id }));
    },
    close() {
      opened?.database.close();
      opened?.release();
      opened = undefined;
    },
  };
}

/** One process at a time: two that go on with the same jobs would do everything twice. */
function openFile(file: string): Opened {
  const lock = acquireWriterLock(`${file}.lock`);
  if (!lock.held) {
    throw new ObeliskError(
      'store_failed',
      `${lock.holder} has the jobs of this data directory; ask that Obelisk, or set OBELISK_DATA_DIR to another one`,
    );
  }
  try {
    const { database } = openDatabase({ file, migrations: MIGRATIONS, derived: false });
    return {
      database,
      save: database.prepare(
        'INSERT INTO job (id, state, job) VALUES (:id, :state, :job) ON CONFLICT (id) DO UPDATE SET state = :state, job = :job',
      ),
      forget: database.prepare('DELETE FROM job WHERE id = :id'),
      release: () => lock.release(),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function told(file: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (error instanceof ObeliskError) throw error;
    throw new ObeliskError(
      'store_failed',
      `the store ${file} cannot be written (${messageOf(error)}); check space and permissions of its folder`,
      { cause: error },
    );
  }
}

/** A row that cannot be read is told of and left alone: the others still count. */
function readJob(row: Row, logger: Logger): readonly Job[] {
  try {
    return [jobSchema().parse(JSON.parse(textColumn(row, 'job')))];
  } catch (error) {
    logger.error('a job of an earlier process cannot be read', {
      job: String(row['id']),
      error: messageOf(error),
    });
    return [];
  }
}
