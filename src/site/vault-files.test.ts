import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isObeliskError } from '../shared/errors.ts';
import { callInProcess } from '../wire/in-process.ts';
import { vaultFileHandler } from './vault-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'obelisk-site-'));
const root = join(folder, 'vault');
after(() => rmSync(folder, { recursive: true, force: true }));
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
mkdirSync(join(root, 'Bilder'), { recursive: true });
mkdirSync(join(root, '.obsidian'));
writeFileSync(join(root, 'Bilder', "Größe's.PNG"), PIXEL);
writeFileSync(join(root, '.obsidian', 'hidden.png'), PIXEL);
writeFileSync(join(root, 'drawing.svg'), '<svg onload="alert(1)"/>');
writeFileSync(join(root, 'private.md'), 'secret');
writeFileSync(join(folder, 'outside.png'), PIXEL);
if (process.platform !== 'win32') writeFileSync(join(root, 'private.md:x.png'), PIXEL);
symlinkSync(join(folder, 'outside.png'), join(root, 'link.png'));
symlinkSync(join(root, 'private.md'), join(root, 'disguised.png'));
symlinkSync(join(root, '.obsidian', 'hidden.png'), join(root, 'shown.png'));
symlinkSync(join(root, 'Bilder'), join(root, 'inner'));

const handler = vaultFileHandler({
  status: () => [
    {
      name: 'Notizen',
      path: root,
      state: 'ready',
      notes: 0,
      chunks: 0,
      pendingNotes: 0,
      embeddedChunks: 0,
      links: { resolved: 0, ambiguous: 0, unresolved: 0 },
      warnings: [],
    },
  ],
});

async function call(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Record<string, string>; bytes: Buffer }> {
  const response = await callInProcess(handler, { method: 'GET', path, headers });
  const chunks: Buffer[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return { status: response.status, headers: { ...response.headers }, bytes: Buffer.concat(chunks) };
}

const isNotFound = (error: unknown): boolean => isObeliskError(error) && error.code === 'not_found';

describe('pictures of a vault', () => {
  it('are served inert, under their own name', async () => {
    const path = `/vault-files/Notizen/Bilder/${encodeURIComponent("Größe's.PNG")}`;
    const { status, headers, bytes } = await call(path);
    assert.equal(status, 200);
    assert.deepEqual(bytes, PIXEL);
    assert.equal(headers['content-type'], 'image/png');
    assert.equal(headers['content-length'], String(PIXEL.length));
    assert.equal(headers['content-disposition'], "inline; filename*=UTF-8''Gr%C3%B6%C3%9Fe%27s.PNG");
    assert.match(headers['content-security-policy'] ?? '', /^default-src 'none'; sandbox/);
    assert.equal((await call(path, { 'if-none-match': headers['etag'] ?? '' })).status, 304);
  });

  it('are found through a link that stays in the vault', async () => {
    assert.equal((await call(`/vault-files/Notizen/inner/${encodeURIComponent("Größe's.PNG")}`)).status, 200);
  });

  const refused: Readonly<Record<string, string>> = {
    'a picture outside, by a link': 'link.png',
    'a note behind a picture’s name': 'disguised.png',
    'a hidden file by a link': 'shown.png',
    'a hidden file': '.obsidian/hidden.png',
    'a drawing that can run scripts': 'drawing.svg',
    'a note': 'private.md',
    'a folder': 'Bilder',
    'a way out': '..%2Foutside.png',
    'another way out': '%2e%2e/outside.png',
    'a stream of a file': 'private.md:x.png',
    nothing: 'none.png',
  };
  for (const [name, path] of Object.entries(refused)) {
    it(`never are ${name}`, async () => {
      await assert.rejects(call(`/vault-files/Notizen/${path}`), isNotFound);
    });
  }

  it('of an unknown vault are not found', async () => {
    await assert.rejects(call('/vault-files/Other/a.png'), isNotFound);
  });
});
