import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askMany, deployments, startRouted } from '../../test/routed.ts';
import { openAi } from '../../test/upstream-scripts.ts';
import { startUpstream } from '../../test/upstream.ts';

test('requests that no connection was made for in time go elsewhere, more of them than may be tried again', async () => {
  await using mute = await startUpstream([], { onConnection: (socket) => !socket.resume().readable });
  await using well = await startUpstream(openAi());
  const [dead, other] = deployments([mute.origin.replace('http:', 'https:'), well.origin]);
  assert.ok(dead && other);
  const group = [
    { ...dead, routing: { weight: 1 } },
    { ...other, routing: { weight: 0 } },
  ];
  await using gateway = await startRouted(group, { timeouts: { connectMs: 1_000 } });
  const { failed, attempts } = await askMany(gateway, { count: 180, width: 180 });
  assert.equal(failed, 0);
  // The budget of retries has 100 and a fifth of the requests; one that came late may not have been tried there.
  assert.ok(attempts - 180 > 140, `${attempts} attempts`);
});
