import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConfigFolder } from '../test/config-folder.ts';
import { secretsOf } from './assemble.ts';

const { load } = createConfigFolder();

const CONFIG = `general_settings: {master_key: MASTER, inference_keys: [guest]}
providers:
  ollama: {hosts: [{name: a, url: "http://a:1", api_key: HOST}]}
  litellm: {api_base: "http://b:1", api_key: LITELLM}
model_list: [{model_name: m, litellm_params: {model: openai/x, api_base: "http://c:1", api_key: MODEL}}]
`;

const secretsWith = (keys: Readonly<Record<string, string>>): readonly string[] => {
  const text = CONFIG.replaceAll(/[A-Z]{4,}/g, (name) => keys[name] ?? assert.fail(name));
  return secretsOf(load(text).settings).map((secret) => secret.reveal());
};

test('every key is kept out of the log', () => {
  const keys = { MASTER: 'sk-master', HOST: 'sk-host-1', LITELLM: 'sk-litellm', MODEL: 'sk-model' };
  assert.deepEqual(secretsWith(keys), ['sk-master', 'guest', 'sk-host-1', 'sk-litellm', 'sk-model']);
});

test('the word that stands in for the key of an upstream tears no words of the log apart; a key of this server is kept, however short', () => {
  const keys = { MASTER: 'open', HOST: 'a', LITELLM: 'test', MODEL: 'no-keys' };
  assert.deepEqual(secretsWith(keys), ['open', 'guest']);
});
