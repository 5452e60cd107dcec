import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { isObeliskError } from '../shared/errors.ts';
import { describeSettings } from './describe-settings.ts';
import { loadConfig } from './load-config.ts';
import type { LoadedConfig } from './settings.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-config-'));
const file = path.join(folder, 'obelisk.yaml');
after(() => rmSync(folder, { recursive: true, force: true }));

const CANARY = 'sk-canary-9f3b';
const environment = { CANARY, EMPTY: '' };

/** The configuration of a text, or the message it was refused with. Anything else thrown fails the test. */
function outcome(text: string): LoadedConfig | string {
  writeFileSync(file, text);
  try {
    return loadConfig({ file, flags: {}, environment, cwd: folder, platform: 'linux', homeDir: '/home/x' });
  } catch (error) {
    if (!isObeliskError(error)) throw error;
    return error.message;
  }
}

function assertClear(text: string): void {
  const result = outcome(text);
  const said = typeof result === 'string' ? result : JSON.stringify([result.notices, result.noEffect]);
  // A host and a vault's name are shown on purpose; neither is a place for a secret.
  const shows = /refusing to listen|two vaults are named/.test(said);
  assert.ok(shows || !said.includes(CANARY), 'the secret was shown');
  if (typeof result !== 'string' || result.startsWith('refusing to listen')) return;
  for (const line of result.split('\n')) {
    assert.ok(/^.*obelisk\.yaml:\d+:\d+: \S/.test(line) || line.startsWith('… and'), line);
  }
}

const KEYS = [
  'server', 'host', 'port', 'allowed_hosts', 'vaults', 'name', 'path', 'model_list', 'model_name',
  'litellm_params', 'model', 'api_base', 'api_key', 'model_info', 'general_settings', 'master_key',
  'providers', 'default', 'ollama', 'url', 'hardware', 'num_gpu', 'low_vram', 'model_overrides',
  'litellm', 'router_settings', 'fallback_chain', 'rag', 'data_dir', 'log', 'level',
  'environment_variables', 'litellm_settings', '__proto__', 'constructor', 'toString',
]; // prettier-ignore

const scalar = fc.oneof(
  fc.constantFrom(
    '${CANARY}',
    '${UNSET}',
    '${UNSET:-7}',
    'os.environ/CANARY',
    '$${x}',
    '${',
    CANARY,
    '0.0.0.0',
  ),
  fc.constantFrom('http://127.0.0.1:1', `http://u:${CANARY}@h`, 'a/b', '~', '127.0.0.1', 'smart'),
  fc.string({ maxLength: 12 }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);

const tree = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'yaml' },
    scalar,
    fc.array(tie('value'), { maxLength: 3, depthIdentifier: 'yaml' }),
    fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 6 })), tie('value'), {
      maxKeys: 5,
      depthIdentifier: 'yaml',
    }),
  ),
})).value;

const sections = fc.dictionary(fc.constantFrom(...KEYS), tree, { maxKeys: 6 });

test('any tree of known and unknown keys loads or is refused with a line, and shows no secret', () => {
  fc.assert(
    fc.property(sections, (value) => assertClear(stringify(value))),
    // A variable that is a mapping with a `toString` of its own once reached `String()`.
    { numRuns: 250, examples: [[{ environment_variables: { A: { toString: 'b' } } }]] },
  );
});

test('any text loads or is refused with a line', () => {
  const text = fc.string({
    unit: fc.constantFrom(...Array.from('abc: -[]{}"\'&*!|>%@`#?,\n\t\\$~0é\u0000')),
    maxLength: 60,
  });
  fc.assert(
    fc.property(text, (value) => assertClear(value)),
    { numRuns: 400 },
  );
});

test('a file that was broken at any place is refused with a line, and shows no secret', () => {
  const whole = stringify({
    server: { port: 4000 },
    general_settings: { master_key: CANARY },
    model_list: [{ model_name: 'a', litellm_params: { model: 'openai/a', api_key: CANARY } }],
  });
  const change = fc.record({
    at: fc.nat(whole.length),
    cut: fc.nat(3),
    insert: fc.string({ unit: fc.constantFrom(...Array.from(' :-[]{}"\'&*!\n\t#')), maxLength: 3 }),
  });
  fc.assert(
    fc.property(change, ({ at, cut, insert }) =>
      assertClear(whole.slice(0, at) + insert + whole.slice(at + cut)),
    ),
    { numRuns: 400 },
  );
});

test('what obelisk config shows of a model holds no text of its parameters', () => {
  const parameter = fc.dictionary(
    fc.string({ unit: fc.constantFrom('a', 'k', 'e', 'y', '_', 't'), minLength: 1, maxLength: 8 }),
    fc.oneof(fc.constant(CANARY), fc.record({ inner: fc.constant(CANARY) }), fc.array(fc.constant(CANARY))),
  );
  fc.assert(
    fc.property(parameter, (params) => {
      const litellm = { ...params, model: 'openai/a', api_key: CANARY };
      const result = outcome(
        stringify({ model_list: [{ model_name: 'a', litellm_params: litellm, model_info: params }] }),
      );
      // A parameter that is nearly the name of a key that matters is refused.
      if (typeof result === 'string') assert.match(result, /did you mean/);
      else assert.doesNotMatch(JSON.stringify(describeSettings(result.settings, result.origins)), /canary/);
    }),
    { numRuns: 150 },
  );
});
