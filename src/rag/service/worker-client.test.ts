import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { LogFields } from '../../telemetry/log.ts';
import type { ObeliskError } from '../../shared/errors.ts';
import type { WorkerSetup } from './protocol.ts';
import { WorkerClient } from './worker-client.ts';

function lines(): { readonly said: string[]; readonly log: (message: string, fields?: LogFields) => void } {
  const said: string[] = [];
  const log = (message: string, fields?: LogFields): void => {
    said.push(`${message} ${String(fields?.['starts'] ?? '')}`.trim());
  };
  return { said, log };
}

test('a worker that dies is started once more; then calls are refused with the reason', async () => {
  // Not a setup that the types allow: it makes the worker throw where nothing catches it.
  const broken: WorkerSetup = Object.assign(
    { vaults: [], dataDir: '', watch: false, reconcileMs: 1 },
    { vaults: null },
  );
  const { said, log } = lines();
  const lost = Promise.withResolvers<ObeliskError>();
  const client = new WorkerClient({
    setup: () => broken,
    logger: { debug: log, info: log, warn: log, error: log },
    onStatus: () => undefined,
    onLost: lost.resolve,
  });
  const pending = client.call('search', { vault: 'v', search: { query: 'x' } });
  await assert.rejects(pending, { code: 'internal', message: /the vault worker ended/ });
  const error = await lost.promise;
  assert.deepEqual(said, ['the vault worker ended 1', 'the vault worker ended 2']);
  await assert.rejects(client.call('search', { vault: 'v', search: { query: 'x' } }), error);
  await client.close();
});

test('an aborted call is rejected at once with the reason of the abort', async () => {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'obelisk-client-'));
  const { log } = lines();
  const client = new WorkerClient({
    setup: () => ({
      vaults: [{ key: 'v', name: 'v', path: dataDir }],
      dataDir,
      watch: false,
      reconcileMs: 60_000,
    }),
    logger: { debug: log, info: log, warn: log, error: log },
    onStatus: () => undefined,
    onLost: () => undefined,
  });
  const controller = new AbortController();
  const call = client.call('refresh', { vault: 'v', rebuild: false }, controller.signal);
  const reason = new Error('the client has gone');
  controller.abort(reason);
  await assert.rejects(call, reason);
  await client.close();
  rmSync(dataDir, { recursive: true, force: true });
});
