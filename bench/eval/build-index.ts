import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openVaultIndex } from '../../src/rag/index/vault-index.ts';
import type { VaultIndex } from '../../src/rag/index/types.ts';
import { parseNote } from '../../src/vault/parse-note.ts';
import { walkVault } from '../../src/vault/walk.ts';
import type { Collection } from './collection.ts';

/** Puts every note of a vault on disk into an index, in one transaction. */
export async function indexVault(folder: string, index: VaultIndex): Promise<void> {
  const { notes } = await walkVault(folder);
  const texts = await Promise.all(
    notes.map(async (file) => ({ file, text: await readFile(file.fileName, 'utf8') })),
  );
  index.batch(() => {
    for (const { file, text } of texts) {
      index.putNote(parseNote(file.path, text), { hash: '', size: file.size, mtimeMs: file.mtimeMs });
    }
  });
}

async function writeVault(folder: string, collection: Collection): Promise<string> {
  if ('folder' in collection.vault) return collection.vault.folder;
  for (const note of collection.vault.notes) {
    const path = join(folder, ...note.path.split('/'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, note.markdown);
  }
  return folder;
}

/** Writes a collection's notes into a temporary vault and opens the product's own index over it. */
export async function withIndex<T>(
  collection: Collection,
  use: (index: VaultIndex) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'obelisk-eval-'));
  const index = openVaultIndex({ file: join(folder, 'index.sqlite') });
  try {
    await indexVault(await writeVault(join(folder, 'vault'), collection), index);
    return await use(index);
  } finally {
    index.close();
    await rm(folder, { recursive: true, force: true });
  }
}
