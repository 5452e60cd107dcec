import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { requireFileKind } from './file-kind.ts';

const noPipes = process.platform === 'win32' ? 'Windows has no named pipes among its files' : false;

test('a pipe is refused instead of being waited for', { skip: noPipes, timeout: 5_000 }, async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'obelisk-kind-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const pipe = path.join(folder, 'model.gguf');
  execFileSync('mkfifo', [pipe]);
  await assert.rejects(requireFileKind(pipe, 'gguf'), { code: 'invalid_request', message: /is not a file/ });
});
