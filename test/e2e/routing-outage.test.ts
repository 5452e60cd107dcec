import assert from 'node:assert/strict';
import { test } from 'node:test';

import { refusingOrigin } from '../ports.ts';
import { always, askMany, deployments, failing, startRouted } from '../routed.ts';
import { openAi } from '../upstream-scripts.ts';
import { close, reset, stall, startUpstream } from '../upstream.ts';

for (const [name, script] of [
  ['refuses', undefined],
  ['resets', always(reset)],
  ['hangs', always(stall)],
  ['closes before an answer', always(close)],
  ['answers 503', failing(503)],
] as const) {
  test(`one deployment of two that ${name} costs no answer`, async () => {
    await using well = await startUpstream(openAi());
    await using bad = await startUpstream(script ?? openAi());
    const dead = script === undefined ? await refusingOrigin() : bad.origin;
    await using gateway = await startRouted(deployments([dead, well.origin]), {
      // Long enough for the deployment that is well on a busy machine.
      timeouts: { firstByteMs: 1_000 },
    });
    const { failed, attempts } = await askMany(gateway, { count: 400, width: 16 });
    assert.equal(failed, 0);
    assert.ok(attempts <= 460, `${attempts} attempts for 400 requests`);
    assert.match(
      gateway.metrics(),
      /obelisk_upstream_attempts_total\{deployment="test#0",outcome="upstream_/,
    );
  });

  test(`when every deployment ${name}, a request costs little more than one attempt`, async () => {
    await using one = await startUpstream(script ?? openAi());
    await using two = await startUpstream(script ?? openAi());
    const origins =
      script === undefined ? [await refusingOrigin(), await refusingOrigin()] : [one.origin, two.origin];
    await using gateway = await startRouted(deployments(origins), { timeouts: { firstByteMs: 20 } });
    const { failed, attempts } = await askMany(gateway, { count: 300, width: 16 });
    assert.equal(failed, 300);
    assert.ok(attempts <= 360, `${attempts} attempts for 300 requests`);
  });
}
