import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { renderNote } from '../src/site/render-note.ts';
import { assertSafe } from '../src/site/strict-html.ts';
import { parseNote } from '../src/vault/parse-note.ts';
import { walkVault } from '../src/vault/walk.ts';
import { reportVault } from './vault-report.ts';

const data = process.env['OBELISK_DATA'] ?? join(import.meta.dirname, '..', '..', 'shared', 'data');
const collection = join(data, 'vaults');

function vaultsOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

const roots = [...vaultsOf(collection), join(data, 'obsidian-help', 'vault')].filter((root) =>
  existsSync(root),
);

test(
  'the real vaults are there to be read',
  { skip: roots.length === 0 && `no vaults in ${data}; set OBELISK_DATA` },
  () => {
    assert.ok(roots.length > 0);
  },
);

for (const root of roots) {
  const name = basename(root) === 'vault' ? 'obsidian-help' : basename(root);

  test(`the real vault ${name} is read whole, and most of its links lead somewhere`, async () => {
    const report = await reportVault(root);
    assert.ok(report.notes > 0);
    assert.ok(report.blocks > report.notes);
    assert.deepEqual(report.skipped, []);
    const { resolved, ambiguous, unresolved } = report.links;
    assert.ok(
      resolved + ambiguous > unresolved,
      `${resolved} resolved, ${ambiguous} ambiguous, ${unresolved} unresolved`,
    );
  });

  test(`every note of the real vault ${name} has its blocks in order and is rendered safely`, async () => {
    for (const file of (await walkVault(root)).notes) {
      const text = await readFile(file.fileName, 'utf8');
      const lineCount = text.split(/\r\n|\n|\r/).length;
      let last = 0;
      for (const { startLine, endLine } of parseNote(file.path, text).blocks) {
        assert.ok(
          startLine > last && endLine >= startLine && endLine <= lineCount,
          `${file.path}:${startLine}`,
        );
        last = endLine;
      }
      const own = (path: string): string => `/own/${encodeURI(path)}`;
      assertSafe(renderNote({ text, path: file.path, resolved: {}, noteUrl: own, assetUrl: own }).html);
    }
  });
}
