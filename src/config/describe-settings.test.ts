import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeSettings } from './describe-settings.ts';
import { loadConfig } from './load-config.ts';

const inputs = { environment: {}, cwd: '/nowhere', platform: 'linux', homeDir: '/home/x' } as const;
const rowsOf = (paths: readonly string[]): ReturnType<typeof describeSettings> => {
  const { settings, origins } = loadConfig({ ...inputs, file: undefined, flags: { vaults: paths } });
  return describeSettings(settings, origins);
};

test('every vault has a row of its own, with where the list came from', () => {
  const rows = rowsOf(['/a/One', '/a/Two']).filter(({ key }) => key.startsWith('vaults'));
  assert.deepEqual(
    rows.map(({ key, value }) => [key, JSON.stringify(value)]),
    [
      ['vaults.0', '{"name":"One","path":"/a/One"}'],
      ['vaults.1', '{"name":"Two","path":"/a/Two"}'],
    ],
  );
  assert.ok(rows.every(({ origin }) => origin.kind === 'flag'));
});
