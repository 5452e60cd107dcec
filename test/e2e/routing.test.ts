import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusingOrigin } from '../ports.ts';
import { until } from '../eventually.ts';
import { ask, configOf, PATIENCE_MS, serving } from '../served-program.ts';
import { json, openAi } from '../upstream-scripts.ts';
import { reset, stall, startUpstream } from '../upstream.ts';

/** A configuration with a deployment of `m` at each origin, in that order. */
function configOver(origins: readonly string[], more = ''): string {
  const entries = origins.map(
    (origin) =>
      `  - {model_name: m, litellm_params: {model: openai/x, api_base: "${origin}/v1", api_key: sk-upstream}}\n`,
  );
  return `model_list:\n${entries.join('')}vaults: []\n${more}`;
}

const REQUESTS = 2_000;
const AT_ONCE = 8;

/** Sends many requests and counts those that got no whole answer. */
async function load(program: { readonly url: string }): Promise<{ failed: number; attempts: number }> {
  let left = REQUESTS;
  let failed = 0;
  let attempts = 0;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const answer = await ask(program, left % 2 === 0);
      const text = await answer.text();
      attempts += Number(answer.headers.get('x-obelisk-attempts'));
      if (answer.status !== 200 || text.includes('"error"')) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { failed, attempts };
}

for (const [name, script] of [
  ['refuses', undefined],
  ['resets', [reset]],
  ['hangs', [stall]],
] as const) {
  test(`with one deployment of two that ${name}, each of ${REQUESTS} requests is answered`, async () => {
    await using well = await startUpstream(openAi());
    await using bad = await startUpstream(script ?? openAi());
    const dead = script === undefined ? await refusingOrigin() : bad.origin;
    await using program = await serving(
      configOver([dead, well.origin], 'upstream: {timeouts: {first_byte: 2}}\n'),
    );
    const { failed, attempts } = await load(program);
    assert.equal(failed, 0);
    assert.ok(attempts <= REQUESTS * 1.05, `${attempts} attempts`);
    const metrics = await (await fetch(`${program.url}/metrics`)).text();
    assert.match(metrics, /^obelisk_deployment_state\{deployment="m#0"\} 1$/m);
    assert.match(metrics, /^obelisk_deployment_cooldowns_total\{deployment="m#0",cause="\w+"\} \d+$/m);
  });
}

test(
  'a deployment that refused its key is asked again after a reload',
  { skip: process.platform === 'win32' },
  async () => {
    let locked = true;
    await using strict = await startUpstream((request, index) => {
      if (locked) return [json({ error: { message: 'no' } }, 401)];
      const well = openAi();
      return well(request, index);
    });
    await using program = await serving(configOf(strict.origin));
    for (let at = 0; at < 3; at += 1) assert.equal((await ask(program, false)).status, 502);
    assert.equal(strict.requests.length, 1);
    await until(
      () => /"level":"error".*refused its key/.test(program.stderr()),
      'the log has an error',
      PATIENCE_MS,
    );
    locked = false;
    program.signal('SIGHUP');
    await until(async () => (await ask(program, false)).status === 200, 'it is asked again', PATIENCE_MS);
  },
);
