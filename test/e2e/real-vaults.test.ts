import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createObelisk, type Obelisk } from '../../src/main.ts';

const data = process.env['OBELISK_DATA'] ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'data');
const folder = join(data, 'vaults');
const skip = existsSync(folder) ? false : `no real vaults at ${folder} (OBELISK_DATA)`;

describe('real vaults', { skip }, () => {
  let dataDir: string;
  let obelisk: Obelisk;
  const vaults =
    skip === false ? readdirSync(folder).map((name) => ({ name, path: join(folder, name) })) : [];
  const help = join(data, 'obsidian-help', 'vault');

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'obelisk-real-'));
    obelisk = await createObelisk({
      vaults: [...vaults, { name: 'help', path: help }],
      dataDir,
      environment: { OLLAMA_HOST: '127.0.0.1:1' },
    });
    await obelisk.ready();
  });
  after(async () => {
    await obelisk.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('are indexed whole, and their links are reported', (test) => {
    for (const vault of obelisk.vaults()) {
      const { resolved, ambiguous, unresolved } = vault.links;
      test.diagnostic(
        `${vault.name}: ${vault.notes} notes, ${vault.chunks} passages; links ${resolved} resolved, ${ambiguous} ambiguous, ${unresolved} unresolved; ${vault.warnings.length} warnings`,
      );
      assert.equal(vault.state, 'ready', vault.error);
      assert.ok(vault.notes > 0, vault.name);
      assert.ok(resolved > unresolved, vault.name);
    }
  });

  it('give answers whose citations stand in the file at the cited lines', async () => {
    const { text, sources, supported } = await obelisk.query('How do I embed an image in a note?', {
      vault: 'help',
      model: 'extractive',
    });
    assert.ok(supported);
    const cited = sources.filter((source) => source.cited);
    assert.ok(cited.length > 0);
    for (const source of cited) {
      const lines = (await readFile(join(help, source.path), 'utf8')).split(/\r\n|\r|\n/);
      const passage = words(lines.slice(source.startLine - 1, source.endLine).join(' '));
      const quoted = quotesOf(text, source.index);
      assert.ok(quoted.length > 0, `[${source.index}] stands in the text`);
      for (const quote of quoted) {
        assert.ok(
          quote.every((word) => passage.has(word)),
          `${quote.join(' ')} is not in ${source.path}`,
        );
      }
    }
  });
});

function words(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/\p{L}{3,}/gu) ?? []);
}

/** The words of each paragraph that ends in the mark of a source. */
function quotesOf(text: string, index: number): readonly (readonly string[])[] {
  return text
    .split('\n\n')
    .filter((paragraph) => paragraph.trimEnd().endsWith(`[${index}]`))
    .map((paragraph) => [...words(paragraph)])
    .filter((found) => found.length > 0 && !found.includes('md'));
}
