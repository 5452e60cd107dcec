import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retype, substitute } from './substitute.ts';

const environment = { HOST: 'h', EMPTY: '', NESTED: '${HOST}' };

function replaced(text: string): string {
  const result = substitute(text, environment);
  assert.equal(result.kind, 'replaced');
  return result.kind === 'replaced' ? result.text : '';
}

function failure(text: string): string {
  const result = substitute(text, environment);
  assert.equal(result.kind, 'failed');
  return result.kind === 'failed' ? result.message : '';
}

test('variables are put in anywhere in a text', () => {
  assert.equal(replaced('http://${HOST}:${PORT:-80}/'), 'http://h:80/');
  assert.equal(replaced('os.environ/HOST'), 'h');
});

test('a default stands in for an empty variable too, as in a shell', () => {
  assert.equal(replaced('${EMPTY:-d}'), 'd');
  assert.equal(replaced('${EMPTY}'), '');
  assert.equal(replaced('${UNSET:-}'), '');
});

test('what was put in is not looked at again', () => {
  assert.equal(replaced('${NESTED}'), '${HOST}');
});

test('$${ writes a literal ${', () => {
  assert.equal(replaced('$${HOST}'), '${HOST}');
});

test('text without a reference is left alone', () => {
  for (const text of ['', '$HOST', 'a$b', 'see os.environ/HOST', '{x}']) {
    assert.deepEqual(substitute(text, environment), { kind: 'same' });
  }
});

test('an unset variable and a malformed reference say what to do', () => {
  assert.match(failure('${UNSET}'), /variable UNSET is not set; set it, or write \$\{UNSET:-default\}/);
  assert.match(failure('os.environ/UNSET'), /variable UNSET is not set; set it$/);
  assert.match(failure('${}'), /expected \$\{NAME\}/);
  assert.match(failure('${A B}'), /expected \$\{NAME\}/);
  assert.match(failure('${A:-${B}}'), /cannot hold another/);
});

test('retyping follows YAML and keeps what is no number', () => {
  assert.deepEqual(['true', '0.5', '-3', '1e3', 'null', '0x1', '1.2.3', ''].map(retype), [
    true,
    0.5,
    -3,
    1000,
    null,
    '0x1',
    '1.2.3',
    '',
  ]);
});
