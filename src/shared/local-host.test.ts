import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isLocalUrl, isLoopbackUrl } from './local-host.ts';

test('loopback, private networks and names without a dot are local', () => {
  for (const host of [
    'localhost:1',
    '127.0.0.1',
    '127.9.9.9',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.2',
    '169.254.1.1',
    '[::1]',
    '[fd00::1]',
    '[fe80::1]',
    'ollama:11434',
    'box.local',
    'host.docker.internal',
  ]) {
    assert.equal(isLocalUrl(`http://${host}`), true, host);
  }
});

test('everything else is not local', () => {
  for (const host of ['api.openai.com', '8.8.8.8', '172.32.0.1', '[2001:db8::1]', '127.example.com']) {
    assert.equal(isLocalUrl(`https://${host}`), false, host);
  }
  assert.equal(isLocalUrl('not a url'), false);
});

test('only loopback is this very machine', () => {
  assert.equal(isLoopbackUrl('http://127.0.0.1:11434'), true);
  assert.equal(isLoopbackUrl('http://[::1]:11434'), true);
  assert.equal(isLoopbackUrl('http://192.168.1.2'), false);
  assert.equal(isLoopbackUrl('http://127.example.com'), false);
});
