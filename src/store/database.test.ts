import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isObeliskError } from '../shared/errors.ts';
import { openDatabase } from './database.ts';

const FIRST = 'CREATE TABLE thing (name TEXT)';
const SECOND = 'ALTER TABLE thing ADD COLUMN size INTEGER';

function temporaryFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'obelisk-store-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'deep', 'er', 'store.sqlite');
}

function isStoreFailure(error: unknown): boolean {
  return isObeliskError(error) && error.code === 'store_failed';
}

test('a new file is made with its folders, in WAL mode, at the newest version', (context) => {
  const { database, rebuiltBecause } = openDatabase({
    file: temporaryFile(context),
    migrations: [FIRST, SECOND],
    derived: true,
  });
  assert.equal(rebuiltBecause, undefined);
  assert.deepEqual({ ...database.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' });
  assert.deepEqual({ ...database.prepare('PRAGMA user_version').get() }, { user_version: 2 });
  database.close();
});

const noModes = process.platform === 'win32' ? 'Windows has no modes of files' : false;

test("a new file is its owner's alone, what is written beside it included", { skip: noModes }, (context) => {
  const file = temporaryFile(context);
  const { database } = openDatabase({ file, migrations: [FIRST], derived: false });
  database.exec("INSERT INTO thing VALUES ('a secret')");
  const modes = readdirSync(dirname(file))
    .toSorted()
    .map((name) => [name, (statSync(join(dirname(file), name)).mode & 0o777).toString(8)]);
  database.close();
  assert.deepEqual(modes, [
    ['store.sqlite', '600'],
    ['store.sqlite-shm', '600'],
    ['store.sqlite-wal', '600'],
  ]);
});

test('what cannot be derived is migrated and kept', (context) => {
  const file = temporaryFile(context);
  const old = openDatabase({ file, migrations: [FIRST], derived: false }).database;
  old.exec("INSERT INTO thing VALUES ('kept')");
  old.close();
  const { database } = openDatabase({ file, migrations: [FIRST, SECOND], derived: false });
  assert.deepEqual({ ...database.prepare('SELECT * FROM thing').get() }, { name: 'kept', size: null });
  database.close();
});

test('a failed migration leaves the file at its old version', (context) => {
  const file = temporaryFile(context);
  openDatabase({ file, migrations: [FIRST], derived: false }).database.close();
  assert.throws(
    () => openDatabase({ file, migrations: [FIRST, `${SECOND}; CREATE TABLE broken (`], derived: false }),
    isStoreFailure,
  );
  const { database } = openDatabase({ file, migrations: [FIRST, SECOND], derived: false });
  assert.equal(database.prepare('PRAGMA table_info(thing)').all().length, 2);
  database.close();
});

for (const [name, migrations] of [
  ['older', [FIRST]],
  ['newer', [FIRST, SECOND, 'CREATE TABLE more (x)']],
] as const) {
  test(`a derived file of an ${name} version is begun again, and says so`, (context) => {
    const file = temporaryFile(context);
    const before = openDatabase({ file, migrations, derived: true }).database;
    before.exec("INSERT INTO thing (name) VALUES ('gone')");
    before.close();
    const { database, rebuiltBecause } = openDatabase({ file, migrations: [FIRST, SECOND], derived: true });
    assert.match(rebuiltBecause ?? '', new RegExp(name, 'u'));
    assert.deepEqual({ ...database.prepare('SELECT count(*) AS rows FROM thing').get() }, { rows: 0 });
    database.close();
  });
}

test('a derived file that is no database is begun again, another one is refused', (context) => {
  const file = temporaryFile(context);
  openDatabase({ file, migrations: [FIRST], derived: true }).database.close();
  writeFileSync(file, 'this is not a database, '.repeat(500));
  assert.throws(() => openDatabase({ file, migrations: [FIRST], derived: false }), isStoreFailure);
  const { database, rebuiltBecause } = openDatabase({ file, migrations: [FIRST], derived: true });
  assert.match(rebuiltBecause ?? '', /damaged/u);
  database.close();
});

test('a folder that cannot be made is a store failure that names the file', (context) => {
  const file = temporaryFile(context);
  openDatabase({ file, migrations: [FIRST], derived: true }).database.close();
  assert.throws(
    () => openDatabase({ file: join(file, 'below-a-file.sqlite'), migrations: [FIRST], derived: true }),
    isStoreFailure,
  );
});
