import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';

import { blobOf } from './file-blob.ts';

const MEGABYTE = 1024 * 1024;

suite('the digest of a file', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'obelisk-blob-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const [name, bytes] of [
    ['an empty one', 0],
    ['a small one', 10],
    ['one that is hashed in a thread', 70 * MEGABYTE + 3],
  ] as const) {
    test(`of ${name} is that of its bytes, which open again`, async () => {
      const file = path.join(folder, `${bytes}`);
      const content = Buffer.alloc(bytes, 'weights');
      await writeFile(file, content);
      const told: number[] = [];
      const blob = await blobOf(file, undefined, (read, total) => {
        told.push(read);
        assert.equal(total, bytes);
      });
      assert.equal(blob.digest, `sha256:${createHash('sha256').update(content).digest('hex')}`);
      assert.equal(blob.bytes, bytes);
      assert.deepEqual(
        told,
        told.toSorted((a, b) => a - b),
      );
      assert.equal(told.at(-1), bytes);
      const again = createHash('sha256');
      for await (const piece of blob.open()) again.update(piece);
      assert.equal(`sha256:${again.digest('hex')}`, blob.digest);
    });
  }

  test('of a large one leaves the event loop to others, and ends when nobody waits for it', async () => {
    const file = path.join(folder, 'sparse');
    await writeFile(file, '');
    await truncate(file, 4_096 * MEGABYTE);
    const controller = new AbortController();
    let turns = 0;
    const turning = setInterval(() => {
      turns += 1;
      if (turns === 20) controller.abort();
    }, 2);
    await assert.rejects(blobOf(file, controller.signal), { code: 'client_gone' });
    clearInterval(turning);
    assert.ok(turns >= 20);
  });

  test('of what is no file is refused', async () => {
    await assert.rejects(blobOf(folder), { code: 'invalid_request', message: /is not a file/ });
    await assert.rejects(blobOf(path.join(folder, 'missing')), { code: 'ENOENT' });
  });
});
