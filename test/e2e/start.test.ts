import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startProgram } from '../program.ts';
import { startUpstream } from '../upstream.ts';
import { json } from '../upstream-scripts.ts';

const folder = mkdtempSync(join(tmpdir(), 'obelisk-start-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs before the program and tells on standard error what it loads. */
const WITNESS = `
  import { registerHooks } from 'node:module';
  const tell = (line) => process.stderr.write('\\n' + line + '\\n');
  registerHooks({ load(url, context, next) { tell('loads ' + url); return next(url, context); } });
  process.on('worker', () => tell('starts a thread'));
`;

/** What a gateway without vaults has no use for; each costs milliseconds of its start, or memory. */
const UNUSED: readonly RegExp[] = [
  /starts a thread/,
  /markdown-it/,
  /src\/vault\/(?!obsidian-address)/,
  /src\/rag\/(?:text|index)\//,
  /src\/rag\/answer\/(?!source-urls)/,
  /src\/site\/(?!routes|sessions)/,
  /src\/cli\/(?:ask|search|index-vaults|models|config|doctor|remote|session)\b/,
];

test('a gateway without vaults answers before anything is loaded that vaults or the page need', async () => {
  const completion = {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
  await using upstream = await startUpstream([json(completion)]);
  const config = join(folder, 'gateway.yaml');
  const params = { model: 'openai/m', api_base: `${upstream.origin}/v1`, api_key: 'k' };
  writeFileSync(config, JSON.stringify({ model_list: [{ model_name: 'm', litellm_params: params }] }));
  const program = await startProgram({
    args: ['serve', '--config', config, '--port', '0'],
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(WITNESS)}` },
  });
  try {
    const response = await fetch(`${program.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }),
    });
    assert.deepEqual(await response.json(), completion);
    const told = program.stderr().split('\n');
    assert.ok(
      told.some((line) => /^loads .*src\/serving\.ts$/.test(line)),
      'the witness sees what is loaded',
    );
    const unused = told.filter((line) => UNUSED.some((pattern) => pattern.test(line)));
    assert.deepEqual(unused, []);
    const page = await fetch(`${program.url}/`);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<!doctype html>/i);
  } finally {
    await program.stop();
  }
});
