import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { runCli } from '../../test/command-line.ts';
import { COMMAND_NAMES, loadCommands } from './commands.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('help lists every command, and each command has its own', async () => {
  const { code, stdout } = await runCli(['--help']);
  assert.equal(code, 0);
  const commands = await loadCommands();
  assert.deepEqual(
    commands.map(({ spec }) => spec.name),
    COMMAND_NAMES,
  );
  for (const { spec } of commands) {
    assert.ok(stdout.includes(`  ${spec.name}`), spec.name);
    const help = await runCli([spec.name, '--help']);
    assert.equal(help.code, 0);
    assert.equal(help.stderr, '');
    for (const option of [...Object.keys(spec.options), 'json', 'config']) {
      assert.ok(help.stdout.includes(`--${option}`), `${spec.name} --${option}`);
    }
    assert.equal((await runCli(['help', spec.name])).stdout, help.stdout);
  }
});

test('the version is printed alone', async () => {
  assert.deepEqual(await runCli(['--version']), { code: 0, stdout: '9.9.9\n', stderr: '' });
});

test('what was typed wrong is told with the nearest name, on standard error, with code 2', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['serv'], /no command "serv"; did you mean "serve"\?/],
    [['--port', '1'], /write the command before its options/],
    [['serve', '--prot', '1'], /unknown option --prot; did you mean --port\?/],
    [['serve', '--port'], /--port needs a value: --port PORT/],
    [['serve', '--port', '70000'], /--port must be a whole number from 0 to 65535/],
    [['serve', '-p', 'x'], /-p must be a whole number/],
    [['serve', 'extra'], /takes no "extra"/],
    [['serve', '--json=yes'], /--json is a switch/],
    [['search'], /write what to look for/],
    [['search', '--limit', '0', 'x'], /--limit must be a whole number from 1 to 50/],
    [['ask'], /write a question/],
    [['ask', '-'], /write a question/],
    [['config', '--__proto__'], /unknown option --__proto__/],
  ];
  for (const [given, message] of cases) {
    const { code, stdout, stderr } = await runCli(given);
    assert.equal(code, 2, given.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.match(stderr, /See: obelisk .*--help/);
  }
});

test('config shows each value with its origin, and no secret', async () => {
  const file = path.join(folder, 'team.yaml');
  writeFileSync(
    file,
    `general_settings: {master_key: sk-canary-1}
providers: {litellm: {api_base: "http://127.0.0.1:9", api_key: sk-canary-2}}
model_list:
  - model_name: a
    litellm_params: {model: openai/a, api_key: sk-canary-3, custom: sk-canary-4, nested: {x: sk-canary-5}, temperature: 0.5}
    model_info: {note: sk-canary-6}
litellm_settings: {cache_params: {password: sk-canary-7}}
environment_variables: {A: sk-canary-8}
rag: {model: a}
`,
  );
  const environment = { OBELISK_PORT: '4321', LITELLM_API_KEY: 'sk-canary-9' };
  const text = await runCli(['config', '--config', file, '--data-dir', folder], { environment });
  assert.equal(text.code, 0);
  assert.match(text.stdout, /server\.port +4321 +environment OBELISK_PORT/);
  assert.match(text.stdout, new RegExp(`rag\\.model +a +.*team\\.yaml:9`));
  assert.match(text.stdout, /general_settings\.master_key +\[secret\]/);
  assert.match(text.stdout, /data_dir .* flag --data-dir/);
  assert.match(text.stderr, /no effect yet litellm_settings\.cache_params \(.*team\.yaml:7\)/);
  const json = await runCli(['config', '-c', file, '--json'], { environment });
  const parsed: unknown = JSON.parse(json.stdout);
  assert.ok(typeof parsed === 'object' && parsed !== null && 'settings' in parsed);
  for (const output of [text.stdout, text.stderr, json.stdout, json.stderr]) {
    assert.doesNotMatch(output, /canary/);
  }
});

test('a wrong configuration is an error of one sentence, or of one object with --json', async () => {
  writeFileSync(path.join(folder, 'obelisk.yaml'), 'server:\n  prot: 1\n');
  const text = await runCli(['config'], { cwd: folder });
  const json = await runCli(['config', '--json'], { cwd: folder });
  rmSync(path.join(folder, 'obelisk.yaml'));
  assert.equal(text.code, 1);
  assert.match(
    text.stderr,
    /obelisk config: .*obelisk\.yaml:2:3: unknown key server\.prot; did you mean "port"\?/,
  );
  const parsed: unknown = JSON.parse(json.stderr);
  assert.ok(typeof parsed === 'object' && parsed !== null && 'error' in parsed);
  assert.equal(json.stdout, '');
});

test('colours appear on a terminal only, and NO_COLOR and FORCE_COLOR decide', async () => {
  const coloured = async (isTerminal: boolean, environment: Record<string, string>): Promise<boolean> =>
    (await runCli(['config'], { cwd: folder, isTerminal, environment })).stdout.includes('\u001b[');
  assert.equal(await coloured(false, {}), false);
  assert.equal(await coloured(true, {}), true);
  assert.equal(await coloured(true, { NO_COLOR: '1' }), false);
  assert.equal(await coloured(true, { TERM: 'dumb' }), false);
  assert.equal(await coloured(false, { FORCE_COLOR: '1' }), true);
  assert.equal(await coloured(true, { FORCE_COLOR: '0' }), false);
});
