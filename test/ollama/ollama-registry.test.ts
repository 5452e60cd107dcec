/** Creation, push and pull through a real registry, by a real Ollama, as jobs of the real program. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import type { Job } from '../../src/ollama/control-plane.ts';
import { hasEnded } from '../../src/ollama/jobs/follow-job.ts';
import { startManaged } from '../managed-program.ts';
import type { ManagedProgram } from '../managed-program.ts';
import { startModelRegistry } from '../model-registry.ts';
import type { ModelRegistry } from '../model-registry.ts';
import { findRealOllama } from '../ollama-models.ts';
import type { RealOllama } from '../ollama-models.ts';

const ollama = await findRealOllama();
const registry = 'skip' in ollama ? ollama : await startModelRegistry();
const skip = 'skip' in registry ? registry.skip : false;
if (skip !== false) console.log(`SKIPPED: a real registry: ${skip}`);
if (skip !== false && !('skip' in ollama)) await ollama[Symbol.asyncDispose]();

test('a model goes to a real registry and comes back from it', { skip }, async (context) => {
  if ('skip' in ollama || 'skip' in registry) return;
  await using _ollama = ollama;
  await using _registry = registry;
  const name = `${registry.name}/library/there-and-back:latest`;
  await using obelisk = await startManaged(ollama.url, [
    `registries: ["${registry.name}"]`,
    `insecure_registries: ["${registry.name}"]`,
  ]);
  const setting = { ollama, registry, obelisk, name };
  await context.test('it is made of another and a layer of its own', () => isMade(setting));
  await context.test('it is pushed', () => isPushed(setting));
  await context.test('it is pulled where it is missing, with its bytes', () => isPulled(setting));
  await context.test('what is broken off is tried again, and goes on', () => isResumed(setting));
  await context.test('a process that is killed in the middle is followed by one that goes on', () =>
    survivesAKill(setting),
  );
  await context.test('a model that is nowhere fails in Ollama’s words', () => failsForGood(setting));
  await context.test('a cancelled pull leaves nothing that looks installed', () => isCancelled(setting));
  await context.test('a registry that nobody listed is refused', () => isRefused(setting));
});

type Setting = {
  readonly ollama: RealOllama;
  readonly registry: ModelRegistry;
  readonly obelisk: ManagedProgram;
  readonly name: string;
};

async function isMade({ obelisk, ollama, name }: Setting): Promise<void> {
  // A layer that no other model has: it is really sent, and really gone once its model is deleted.
  const license = [randomBytes(200_000).toString('hex')];
  const source = { from: ollama.chat, license };
  const job = await endOf(obelisk, await obelisk.startJob({ kind: 'create', model: name, source }));
  assert.equal(job.state, 'done', JSON.stringify(job.error));
}

async function isPushed({ obelisk, name }: Setting): Promise<void> {
  const job = await endOf(obelisk, await obelisk.startJob({ kind: 'push', model: name }));
  assert.equal(job.state, 'done', JSON.stringify(job));
  assert.equal(job.progress.status, 'success');
  assert.ok((job.progress.totalBytes ?? 0) > 400_000);
  assert.equal(job.progress.completedBytes, job.progress.totalBytes);
}

async function isPulled(setting: Setting): Promise<void> {
  const { obelisk, name } = setting;
  const before = await sizeOf(setting);
  await forget(setting);
  assert.equal(await sizeOf(setting), undefined);
  const job = await endOf(obelisk, await obelisk.startJob({ kind: 'pull', model: name, ifMissing: true }));
  assert.equal(job.state, 'done', JSON.stringify(job));
  assert.equal(await sizeOf(setting), before);
  const again = await endOf(obelisk, await obelisk.startJob({ kind: 'pull', model: name, ifMissing: true }));
  assert.deepEqual([again.state, again.progress.layers], ['done', []]);
}

async function isResumed(setting: Setting): Promise<void> {
  const { obelisk, registry, name } = setting;
  await forget(setting);
  const before = registry.blobRequests;
  registry.breakNext(2);
  const job = await endOf(obelisk, await obelisk.startJob({ kind: 'pull', model: name }));
  assert.equal(job.state, 'done', JSON.stringify(job));
  assert.ok(registry.blobRequests >= before + 3, 'what was broken off was asked for again');
}

async function survivesAKill(setting: Setting): Promise<void> {
  const { obelisk, registry, name } = setting;
  await forget(setting);
  registry.slowBy(40);
  const begun = await obelisk.startJob({ kind: 'pull', model: name });
  await obelisk.until(begun.id, isHalfway);
  await obelisk.kill();
  registry.slowBy(0);
  await obelisk.start();
  const job = await endOf(obelisk, begun);
  assert.deepEqual([job.state, job.createdMs], ['done', begun.createdMs], JSON.stringify(job));
  assert.ok(job.attempts >= 2);
  assert.notEqual(await sizeOf(setting), undefined);
}

async function isCancelled(setting: Setting): Promise<void> {
  const { obelisk, registry, name } = setting;
  await forget(setting);
  registry.slowBy(40);
  const { id } = await obelisk.startJob({ kind: 'pull', model: name });
  await obelisk.until(id, isHalfway);
  const cancelled = await obelisk.call('DELETE', `/ollama/jobs/${id}`);
  assert.equal(cancelled.status, 200);
  assert.equal((await obelisk.job(id)).state, 'cancelled');
  assert.equal(await sizeOf(setting), undefined);
  registry.slowBy(0);
  const again = await endOf(obelisk, await obelisk.startJob({ kind: 'pull', model: name }));
  assert.equal(again.state, 'done', JSON.stringify(again));
  await forget(setting);
}

async function failsForGood({ obelisk, registry }: Setting): Promise<void> {
  const model = `${registry.name}/library/nowhere`;
  const job = await endOf(obelisk, await obelisk.startJob({ kind: 'pull', model }));
  assert.deepEqual([job.state, job.attempts], ['failed', 1]);
  assert.match(job.error?.message ?? '', /file does not exist/);
}

async function isRefused({ obelisk }: Setting): Promise<void> {
  const { status, json } = await obelisk.call('POST', '/ollama/jobs', {
    kind: 'pull',
    model: '127.0.0.1:1/library/x',
  });
  assert.equal(status, 403, JSON.stringify(json));
}

function isHalfway({ progress }: Job): boolean {
  return progress.layers.some((layer) => layer.completedBytes > 0 && layer.completedBytes < layer.totalBytes);
}

function endOf(obelisk: ManagedProgram, { id }: Job): Promise<Job> {
  return obelisk.until(id, hasEnded);
}

async function forget({ obelisk, name }: Setting): Promise<void> {
  const { status, json } = await obelisk.call('DELETE', `/ollama/models/${name}`);
  assert.equal(status, 200, JSON.stringify(json));
}

async function sizeOf({ ollama, name }: Setting): Promise<number | undefined> {
  const response = await fetch(`${ollama.url}/api/tags`);
  const { models } = (await response.json()) as { models: { name: string; size: number }[] };
  return models.find((model) => model.name === name)?.size;
}
