import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOf } from './client-of.ts';

function from(remoteAddress: string, headers: Readonly<Record<string, string>> = {}): string {
  return clientOf({ remoteAddress, header: (name) => headers[name] });
}

test('one key from one address is one client, however it is written', () => {
  const one = from('10.0.0.1', { authorization: 'Bearer sk-1' });
  assert.equal(from('10.0.0.1', { authorization: 'bearer   sk-1 ' }), one);
  assert.equal(from('10.0.0.1', { 'x-api-key': 'sk-1' }), one);
  assert.equal(from('10.0.0.1', { 'x-api-key': 'sk-1', authorization: 'Basic anything' }), one);
  assert.notEqual(from('10.0.0.2', { authorization: 'Bearer sk-1' }), one);
  assert.notEqual(from('10.0.0.1', { authorization: 'Bearer sk-2' }), one);
  assert.ok(!one.includes('sk-1'), 'the key itself is nowhere');
});

test('what is no key is nobody else than the address', () => {
  assert.equal(from('10.0.0.1', { authorization: 'Basic dXNlcjpwYXNz' }), from('10.0.0.1'));
});

test('whom our own code asks for counts inside the process alone', () => {
  const headers = { 'x-obelisk-client': 'somebody' };
  assert.equal(from('process', headers), 'somebody');
  assert.equal(from('10.0.0.1', headers), from('10.0.0.1'));
});
