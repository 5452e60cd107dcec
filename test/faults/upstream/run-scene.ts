/** Plays one case and holds everything that can be seen of it against the row. */
import assert from 'node:assert/strict';
import { eventually } from '../../eventually.ts';
import type { Expected, Fate } from './fault-case.ts';
import type { Scene, Stage } from './stage.ts';
import { askStrictly } from './strict-client.ts';
import { judge } from './verdict.ts';

const FATES: readonly Fate[] = ['unreachable', 'timeout', 'rate_limited', 'failing'];

const DEADLINE_MS = 5_000;

/** Asks as often as the case says and checks each answer, the upstreams and the log. */
export async function runScene(stage: Stage, scene: Scene): Promise<void> {
  const { fault, at, model } = scene;
  const expected = fault.expect(at);
  let told = 0;
  for (const one of expected) told += await ask(stage, scene, one);
  const [least, most] = fault.attempts ?? [expected.length, expected.length];
  const chats = scene.servers.reduce((sum, server) => sum + server.chats(), 0);
  assert.ok(chats >= least && chats <= most, `${chats} upstream requests, not ${least} to ${most}`);
  assert.ok(told >= chats - (fault.resent ?? 0), `x-obelisk-attempts says ${told} of ${chats}`);
  for (const [index, { atMost = Infinity }] of fault.deployments(at).entries())
    assert.ok((scene.servers[index]?.chats() ?? 0) <= atMost, `deployment ${index} was asked too often`);
  if (fault.becomes !== undefined) {
    const metrics = await stage.metrics();
    assert.equal(fateOf(metrics, scene.deploymentIds[0] ?? ''), fault.becomes(at));
  }
  if (fault.keepsConnection !== true && expected.every(({ sees }) => sees !== 'answer'))
    await eventually(() => {
      const open = scene.servers.map((server) => server.open());
      assert.ok(
        open.every((count) => count === 0),
        `upstream connections still open: ${open.join(', ')}`,
      );
    });
  if (fault.logs !== undefined) {
    const { logs } = fault;
    const line = (text: string): boolean => text.includes(model) && logs.test(text);
    await eventually(() => assert.ok(stage.program.stderr().split('\n').some(line), `no log line ${logs}`));
  }
}

async function ask(stage: Stage, scene: Scene, expected: Expected): Promise<number> {
  const { fault, at, model, key } = scene;
  const answer = await askStrictly({
    url: stage.program.url,
    path: '/v1/chat/completions',
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: 'hi' }],
      ...(at.mode === 'stream' ? { stream: true } : {}),
    }),
    stalledMs: fault.stalledMs,
    deadlineMs: fault.deadlineMs ?? DEADLINE_MS,
  });
  const { error } = judge(answer, expected, at.mode);
  if (error !== undefined && fault.says !== undefined) assert.match(error.message, fault.says);
  for (const hidden of [key, ...(fault.hides ?? [])])
    assert.ok(!answer.body.includes(hidden), `the answer holds ${hidden}: ${answer.body.toString()}`);
  return Number(answer.headers['x-obelisk-attempts'] ?? 0);
}

/** What the metrics say of a deployment. */
function fateOf(metrics: string, id: string): Fate {
  const lines = metrics.split('\n').filter((line) => line.includes(`deployment="${id}"`));
  const state = lines.find((line) => line.startsWith('obelisk_deployment_state{'));
  if (state?.endsWith(' 2') === true) return 'disabled';
  const cooled = lines.find((line) => line.startsWith('obelisk_deployment_cooldowns_total{'));
  const cause = /cause="(\w+)"/.exec(cooled ?? '')?.[1];
  return FATES.find((fate) => fate === cause) ?? 'serving';
}
