import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runProgram } from '../../program.ts';
import {
  CROWD_CONFIG,
  CROWDS,
  PATIENT_CONFIG,
  SLOW_BODIES,
  SLOW_CLIENTS,
  SLOW_CONFIG,
} from './slow-clients.ts';
import { registerCases } from './register-cases.ts';

describe('row 33', { concurrency: true }, () => {
  registerCases('slow clients', SLOW_CLIENTS, { config: SLOW_CONFIG, concurrency: 10, parallel: true });
  registerCases('slow bodies', SLOW_BODIES, { config: PATIENT_CONFIG, concurrency: 10, parallel: true });
});
registerCases('crowds', CROWDS, {
  config: CROWD_CONFIG,
  parallel: true,
  skip: process.platform !== 'linux',
});

test('33: unless configured otherwise a head may take 10 s, a body and a silent reader 60 s', async () => {
  const { stdout } = await runProgram({ args: ['config', '--json'] });
  const settings = JSON.parse(stdout) as { settings: { key: string; value: unknown }[] };
  const known = new Map(settings.settings.map(({ key, value }) => [key, value]));
  for (const [key, seconds] of Object.entries({ headers: 10, body: 60, keep_alive: 65, stalled: 60 }))
    assert.equal(known.get(`server.timeouts.${key}`), seconds, key);
});
