import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { startScriptedOllama } from '../test/scripted-ollama.ts';
import { assemble } from './assemble.ts';
import { loadConfig } from './config/load-config.ts';
import { listenOn } from './listen.ts';
import { createLogger } from './telemetry/logger.ts';

const MASTER = 'sk-master-0123456789';
const INFERENCE = 'sk-inference-0123456789';
const MODEL = 'secretmodel:latest';

/** Routes that answer without a key: the page, which asks for one itself, and whether the server lives. */
const OPEN =
  /^(?:GET \/|GET \/assets\/\*|GET \/vault\/\*|(?:POST|DELETE) \/obelisk\/v1\/session|GET (?:\/v1)?\/health\/\w+)$/;
/** Routes of models and vaults, which any key opens. */
const INFERENCE_ROUTES =
  /^(?:GET|POST) (?:(?:\/v1)?\/(?:chat\/completions|embeddings|completions|models)|\/api\/(?:chat|generate|embed|embeddings|tags|show|ps|version)|\/obelisk\/v1\/(?:vaults|search)|\/vault-files|\/ollama\/openapi\.json)(?:\/\*)?$/;

test('beyond loopback nothing of Ollama is reached without a key, and an inference key manages nothing', async () => {
  await using ollama = await startScriptedOllama({ models: [{ name: MODEL }] });
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-exposure-'));
  writeFileSync(
    path.join(folder, 'obelisk.yaml'),
    `server: {host: 0.0.0.0, port: 0}
data_dir: ./data
general_settings: {master_key: ${MASTER}, inference_keys: [${INFERENCE}]}
providers: {ollama: {url: "${ollama.url}"}}
`,
  );
  const { platform } = process;
  const config = loadConfig({ environment: {}, flags: {}, cwd: folder, platform, homeDir: folder });
  const logger = createLogger({
    stream: { write: () => undefined },
    level: 'error',
    format: 'text',
    now: Date.now,
    secrets: [],
  });
  const house = assemble({ config, logger, watch: false });
  const listening = await listenOn(house);
  try {
    const { looked, routes } = house.serving();
    await looked;
    assert.ok(routes.length > 40, 'the routes of the whole program');
    assert.ok(routes.some((route) => route.path.startsWith('/ollama/')));
    const before = ollama.requests.length;
    for (const { method, path: pattern, access } of routes) {
      const name = `${method} ${pattern}`;
      const at = `${listening.url}${pattern.replace('*', 'x')}`;
      const ask = (headers: Record<string, string>): Promise<Response> =>
        fetch(at, {
          method,
          headers: { 'content-type': 'application/json', ...headers },
          ...(method === 'GET' || method === 'DELETE' ? {} : { body: JSON.stringify({ model: 'x' }) }),
        });
      const bare = await ask({});
      const text = await bare.text();
      if (access === 'open') {
        assert.match(name, OPEN);
        assert.ok(!text.includes('secretmodel') && !text.includes(ollama.url), name);
        continue;
      }
      assert.equal(bare.status, 401, name);
      if (INFERENCE_ROUTES.test(name)) continue;
      const little = await ask({ authorization: `Bearer ${INFERENCE}` });
      assert.equal(little.status, 403, name);
      await little.text();
    }
    const asked = ollama.requests
      .slice(before)
      .filter(({ path: at }) => !/^\/api\/(tags|ps|version|show)$/.test(at));
    assert.deepEqual(asked, [], 'Ollama heard of none of it');
  } finally {
    await listening.close(0);
    await house.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
