import { createHash } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { z } from 'zod';

import { ObeliskError } from '../../shared/errors.ts';
import { openDatabase } from '../../store/database.ts';
import { numberColumn, textColumn } from '../../store/row.ts';
import { acquireWriterLock } from '../../store/writer-lock.ts';
import type { HostState } from './host-state.ts';
import type { TuneJournal } from './journal.ts';
import type { Figures, Result, Round } from './verdict.ts';

/** What a tuning is about. The same about, the same tuning: one that was broken off goes on. */
export type TuneAbout = {
  /** URL of the host. */
  readonly host: string;
  readonly model: string;
  /** Everything else that a measurement depends on, in one text. */
  readonly key: string;
};

/** One tuning. */
export type TuneRun = {
  /** Whether it goes on with what an earlier command measured. */
  readonly isResumed: boolean;
  readonly journal: TuneJournal;
  /** What the host had loaded before, where a process died before it could bring that back. */
  hostState(): HostState | undefined;
  setHostState(state: HostState | undefined): void;
  /** Ends it: the next one begins anew. */
  finish(kept: KeptTuning): void;
  /** Lets other processes tune on the host. */
  release(): void;
};

/** What stays of a tuning that came to its end. */
export type KeptTuning = {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** What the server was started with, as far as that was seen and matters for speed. */
  readonly environment: Readonly<Record<string, string>>;
  /** What counted then. */
  readonly now: Figures;
};

/** Measurements of all tunings, in one file. */
export type TuneStore = {
  /**
   * Begins a tuning, or goes on with one of the same that has not come to its end; `fresh` begins anew.
   * @throws ObeliskError `overloaded` when another process tunes on the same host.
   */
  begin(about: TuneAbout, how: { readonly nowMs: number; readonly fresh: boolean }): TuneRun;
  /** Tunings of a model on a host that came to their end, the latest first. */
  earlier(about: Pick<TuneAbout, 'host' | 'model'>): readonly KeptTuning[];
  close(): void;
};

const MIGRATIONS = [
  `CREATE TABLE runs (
     id INTEGER PRIMARY KEY, host TEXT NOT NULL, model TEXT NOT NULL, key TEXT NOT NULL,
     pid INTEGER NOT NULL, started_ms INTEGER NOT NULL,
     host_state TEXT NOT NULL DEFAULT '', kept TEXT NOT NULL DEFAULT '');
   CREATE INDEX runs_by_model ON runs (host, model);
   CREATE TABLE results (
     run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
     stage TEXT NOT NULL, round INTEGER NOT NULL, setting TEXT NOT NULL, result TEXT NOT NULL,
     PRIMARY KEY (run, stage, round, setting)) WITHOUT ROWID;`,
  'ALTER TABLE runs DROP COLUMN pid',
];

/** A tuning that was broken off longer ago than this began on another day: the host may be another. */
const RESUMABLE_MS = 24 * 3_600_000;

const optionalNumber = () => z.number().exactOptional();
const figures: z.ZodType<Figures> = z.lazy(() =>
  z.object({
    samples: z.number(),
    promptSpeed: z.number(),
    answerSpeed: optionalNumber(),
    firstTokenMs: optionalNumber(),
    loadMs: optionalNumber(),
    sizeBytes: z.number(),
    vramBytes: z.number(),
  }),
);
const keptTuning: z.ZodType<KeptTuning> = z.lazy(() =>
  z.object({ atMs: z.number(), environment: z.record(z.string(), z.string()), now: figures }),
);
const result: z.ZodType<Result> = z.lazy(() =>
  z.union([
    z.object({ failed: z.string() }),
    z.object({
      loadMs: optionalNumber(),
      firstTokenMs: optionalNumber(),
      promptTokens: z.number(),
      promptMs: z.number(),
      answerTokens: z.number(),
      answerMs: z.number(),
      sizeBytes: z.number(),
      vramBytes: z.number(),
    }),
  ]),
);
const hostState: z.ZodType<HostState> = z.lazy(() =>
  z.object({
    loaded: z.array(z.object({ model: z.string(), expiresMs: z.number(), contextLength: optionalNumber() })),
  }),
);

/** Opens the measurements. What is damaged is begun anew: it can be measured again. */
export function openTuneStore(file: string): TuneStore {
  const { database } = openDatabase({ file, migrations: MIGRATIONS, derived: true });
  return {
    begin(about, { nowMs, fresh }) {
      const lock = acquireWriterLock(lockFileOf(file, about.host));
      if (!lock.held) {
        const message = `${lock.holder} tunes on ${about.host}; wait for it, or end it`;
        throw new ObeliskError('overloaded', message);
      }
      try {
        const found = fresh ? undefined : unfinished(database, about, nowMs);
        const id = found ?? insert(database, about, nowMs);
        return { ...toRun(database, id, found !== undefined), release: lock.release };
      } catch (error) {
        lock.release();
        throw error;
      }
    },
    earlier: ({ host, model }) =>
      database
        .prepare(
          `SELECT kept FROM runs WHERE host = ? AND model = ? AND kept <> '' ORDER BY id DESC LIMIT 20`,
        )
        .all(host, model)
        .flatMap((row) => parsed(keptTuning, textColumn(row, 'kept')) ?? []),
    close: () => database.close(),
  };
}

/** One for each host: what one command measures on it, another one would disturb. */
function lockFileOf(file: string, host: string): string {
  return `${file}.${createHash('sha256').update(host).digest('hex').slice(0, 12)}.lock`;
}

function unfinished(database: DatabaseSync, about: TuneAbout, nowMs: number): number | undefined {
  const row = database
    .prepare(
      `SELECT id FROM runs WHERE host = ? AND model = ? AND key = ? AND kept = '' AND started_ms > ? ORDER BY id DESC LIMIT 1`,
    )
    .get(about.host, about.model, about.key, nowMs - RESUMABLE_MS);
  return row === undefined ? undefined : numberColumn(row, 'id');
}

function insert(database: DatabaseSync, { host, model, key }: TuneAbout, nowMs: number): number {
  database
    .prepare(`DELETE FROM runs WHERE host = ? AND model = ? AND kept = '' AND host_state = ''`)
    .run(host, model);
  const { lastInsertRowid } = database
    .prepare('INSERT INTO runs (host, model, key, started_ms) VALUES (?, ?, ?, ?)')
    .run(host, model, key, nowMs);
  return Number(lastInsertRowid);
}

function toRun(database: DatabaseSync, id: number, isResumed: boolean): Omit<TuneRun, 'release'> {
  const row = database.prepare('SELECT host FROM runs WHERE id = ?').get(id) ?? {};
  const host = textColumn(row, 'host');
  const set = (column: 'host_state' | 'kept', value: string): void => {
    database.prepare(`UPDATE runs SET ${column} = ? WHERE id = ?`).run(value, id);
  };
  return {
    isResumed,
    journal: {
      rounds: (stage) => roundsOf(database, id, stage),
      add: (at, measured) => {
        database
          .prepare('INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?)')
          .run(id, at.stage, at.round, at.setting, JSON.stringify(measured));
      },
      forgetRound: (stage, round) => {
        database
          .prepare('DELETE FROM results WHERE run = ? AND stage = ? AND round >= ?')
          .run(id, stage, round);
      },
    },
    hostState: () => parsed(hostState, oldestHostState(database, host)),
    setHostState: (state) => {
      if (state !== undefined) set('host_state', JSON.stringify(state));
      else database.prepare(`UPDATE runs SET host_state = '' WHERE host = ?`).run(host);
    },
    finish: (kept) => set('kept', JSON.stringify(kept)),
  };
}

/** Also that of another tuning on the host which died: what it remembers was there before anything of ours. */
function oldestHostState(database: DatabaseSync, host: string): string {
  const row = database
    .prepare(`SELECT host_state FROM runs WHERE host = ? AND host_state <> '' ORDER BY id LIMIT 1`)
    .get(host);
  return row === undefined ? '' : textColumn(row, 'host_state');
}

function roundsOf(database: DatabaseSync, id: number, stage: string): readonly Round[] {
  const rounds: Map<string, Result>[] = [];
  const rows: readonly Record<string, SQLOutputValue>[] = database
    .prepare('SELECT round, setting, result FROM results WHERE run = ? AND stage = ? ORDER BY round')
    .all(id, stage);
  for (const row of rows) {
    const measured = parsed(result, textColumn(row, 'result'));
    if (measured === undefined) continue;
    const index = numberColumn(row, 'round');
    const round = rounds[index] ?? new Map<string, Result>();
    rounds[index] = round.set(textColumn(row, 'setting'), measured);
  }
  // A round whose parts were forgotten leaves no hole: the ones after it went with it.
  return rounds.filter((round) => round !== undefined);
}

/** Another version's words count as none. */
function parsed<Value>(schema: z.ZodType<Value>, text: string): Value | undefined {
  if (text === '') return undefined;
  const read = schema.safeParse(JSON.parse(text));
  return read.success ? read.data : undefined;
}
