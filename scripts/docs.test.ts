import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../src/config/load-config.ts';
import { fileSchema } from '../src/config/file-schema.ts';
import { toSchemaTree } from '../src/config/schema-tree.ts';
import type { SchemaNode } from '../src/config/schema-tree.ts';
import { ERROR_KINDS } from '../src/shared/errors.ts';
import { ROWS } from '../test/faults/upstream/upstream-rows.ts';
import { configurationNote } from './configuration-note.ts';
import { errorsNote } from './errors-note.ts';
import { faultNote } from './fault-note.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-docs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const schema = toSchemaTree(fileSchema(() => true));
const note = configurationNote(schema);

function describedKeys(node: SchemaNode): readonly string[] {
  const children = Object.entries(node.properties ?? {});
  const own = children.flatMap(([key, child]) => (child.description === undefined ? [] : [key]));
  return [
    ...own,
    ...children.flatMap(([, child]) => describedKeys(child)),
    ...(node.items ? describedKeys(node.items) : []),
  ];
}

test('every described key of the schema is in the note', () => {
  const keys = describedKeys(schema);
  assert.ok(keys.length > 30);
  for (const key of keys) assert.ok(note.includes(key), key);
});

test('every key with an effect is described', () => {
  const undescribed = (node: SchemaNode, at: string): readonly string[] =>
    Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
      const where = `${at}${key}`;
      if (child.properties !== undefined) return undescribed(child, `${where}.`);
      return child.description === undefined && child.type !== undefined ? [where] : [];
    });
  assert.deepEqual(undescribed(schema, ''), []);
});

test('every environment name of the schema is in the note’s own table', () => {
  const [, table = ''] = note.split('## Environment\n');
  const names = (node: SchemaNode): readonly string[] => [
    ...(node.environment ?? []),
    ...Object.values(node.properties ?? {}).flatMap(names),
  ];
  for (const name of names(schema)) assert.ok(table.includes(`\`${name}\``), name);
});

test('every example in the configuration note loads when pasted, without a notice', () => {
  const examples = [...note.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');
  assert.equal(examples.length, 3);
  const environment = { FAST_API_KEY: 'sk-1', OBELISK_MASTER_KEY: '0123456789abcdef' };
  for (const [index, example] of examples.entries()) {
    const file = path.join(folder, `example-${index}.yaml`);
    writeFileSync(file, example);
    const config = loadConfig({
      file,
      flags: {},
      environment,
      cwd: folder,
      platform: 'linux',
      homeDir: '/home/x',
    });
    assert.deepEqual(config.noEffect, []);
    assert.deepEqual(config.notices, []);
  }
});

test('every error has a section with its remedy', () => {
  const errors = errorsNote(ERROR_KINDS);
  for (const [code, { remedy }] of Object.entries(ERROR_KINDS)) {
    assert.ok(errors.includes(`\n### ${code}\n`), code);
    assert.ok(errors.includes(remedy), code);
  }
});

test('every fault of an upstream that the design names is in the note, with what a client sees', () => {
  const faults = faultNote(ROWS);
  const numbers = Array.from({ length: 29 }, (_, index) => index + 1);
  assert.deepEqual(
    ROWS.map(({ row }) => row),
    numbers,
  );
  for (const { row, fault, sees, details = [] } of ROWS) {
    assert.ok(faults.includes(`| ${row} | ${fault} | ${sees} |`), fault);
    for (const { name, answers } of details) {
      assert.ok(faults.includes(`| ${name} |`), name);
      assert.ok(answers.size > 0, name);
    }
  }
});
