import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { freePort } from '../ports.ts';
import { startProgram, type Program } from '../program.ts';

const executable = process.env['OBELISK_LITELLM'] ?? 'litellm';
const present = spawnSync(executable, ['--version'], { timeout: 60_000 }).status === 0;

describe(
  'a real LiteLLM proxy as a backend',
  { skip: present ? false : 'no LiteLLM (OBELISK_LITELLM)', timeout: 120_000 },
  () => {
    const key = 'sk-0123456789abcdef0123456789abcdef';
    let folder: string;
    let proxy: ChildProcess;
    let program: Program;
    let client: OpenAI;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'obelisk-litellm-'));
      const port = await freePort();
      await writeFile(
        join(folder, 'litellm.yaml'),
        `model_list:\n  - model_name: cloud-model\n    litellm_params:\n      model: openai/gpt-4o\n      api_key: none\n      mock_response: "LiteLLM says hello"\ngeneral_settings:\n  master_key: ${key}\n`,
      );
      proxy = spawn(
        executable,
        ['--config', join(folder, 'litellm.yaml'), '--port', String(port), '--host', '127.0.0.1'],
        {
          env: { ...process.env, LITELLM_LOCAL_MODEL_COST_MAP: 'True' },
          stdio: 'ignore',
        },
      );
      const base = `http://127.0.0.1:${port}`;
      for (let up = false; !up;) {
        up = await fetch(`${base}/health/liveliness`).then(
          (response) => response.ok,
          () => false,
        );
        if (!up) await new Promise((resolve) => setTimeout(resolve, 300));
      }
      await writeFile(
        join(folder, 'obelisk.yaml'),
        `providers:\n  litellm:\n    api_base: ${base}\n    api_key: \${LITELLM_API_KEY}\nmodel_list:\n  - model_name: renamed\n    litellm_params:\n      model: litellm_proxy/cloud-model\n      api_base: ${base}\n      api_key: os.environ/LITELLM_API_KEY\n`,
      );
      program = await startProgram({
        args: ['serve', '--port', '0', '--vault', resolve('docs'), '--config', join(folder, 'obelisk.yaml')],
        env: { LITELLM_API_KEY: key },
      });
      client = new OpenAI({ baseURL: `${program.url}/v1`, apiKey: 'unused', maxRetries: 0 });
    });
    after(async () => {
      await program?.stop();
      proxy?.kill();
      await rm(folder, { recursive: true, force: true });
    });

    it('lists the proxy’s models beside our own', async () => {
      const ids = (await client.models.list()).data.map((model) => model.id);
      assert.ok(ids.includes('cloud-model'), ids.join(', '));
      assert.ok(ids.includes('renamed'));
    });

    for (const model of ['cloud-model', 'renamed']) {
      it(`completes and streams through ${model}`, async () => {
        const messages = [{ role: 'user' as const, content: 'hi' }];
        const completion = await client.chat.completions.create({ model, messages });
        assert.equal(completion.choices[0]?.message.content, 'LiteLLM says hello');
        assert.equal(completion.usage?.total_tokens, 30);
        let text = '';
        let finish: string | null | undefined;
        for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
          text += chunk.choices[0]?.delta.content ?? '';
          finish = chunk.choices[0]?.finish_reason ?? finish;
        }
        assert.equal(text, 'LiteLLM says hello');
        assert.equal(finish, 'stop');
      });
    }

    it('sends usage without choices, and only to those who ask for it', async () => {
      for (const asked of [true, false]) {
        const stream = await client.chat.completions.create({
          model: 'cloud-model',
          messages: [{ role: 'user', content: 'hi' }],
          stream: true,
          ...(asked ? { stream_options: { include_usage: true } } : {}),
        });
        const withUsage: unknown[] = [];
        for await (const { usage, choices } of stream) if (usage) withUsage.push(choices);
        assert.deepEqual(withUsage, asked ? [[]] : []);
      }
    });

    it('lets the proxy’s model write a vault’s answer when the request names it', async () => {
      const vault = (await client.models.list()).data.find((model) => model.id.startsWith('vault/'))?.id;
      const completion = await client.chat.completions.create({
        model: `${vault}:cloud-model`,
        messages: [{ role: 'user', content: 'Does it write inside a vault?' }],
      });
      assert.match(completion.choices[0]?.message.content ?? '', /LiteLLM says hello/);
    });

    it('never prints the proxy’s key', () => {
      assert.ok(!program.stdout().includes(key) && !program.stderr().includes(key));
    });
  },
);
