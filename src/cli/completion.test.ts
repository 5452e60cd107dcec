import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { runCli } from '../../test/command-line.ts';
import { COMMAND_NAMES } from './commands.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

function has(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

for (const shell of SHELLS) {
  test(`the script for ${shell} names every command and is one that the shell can read`, async (context) => {
    const { code, stdout } = await runCli(['completion', shell]);
    assert.equal(code, 0);
    for (const name of COMMAND_NAMES)
      for (const word of name.split(' ')) assert.ok(stdout.includes(word), `${shell}: ${word}`);
    if (!has(shell)) {
      context.diagnostic(`${shell} is not installed: its script is not read`);
      return;
    }
    const read = spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' });
    assert.equal(read.status, 0, read.stderr);
  });
}

test('bash completes commands, options and names of models', { skip: !has('bash') }, async (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-completion-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const script = path.join(folder, 'obelisk.bash');
  writeFileSync(script, (await runCli(['completion', 'bash'])).stdout);
  const models = JSON.stringify([{ name: 'tiny:latest' }, { name: 'other:latest' }], undefined, 2);
  const complete = (...words: readonly string[]): readonly string[] => {
    const line = words.map((word) => `'${word}'`).join(' ');
    const commands = `source '${script}'
obelisk() { printf '%s\\n' '${models}'; }
COMP_WORDS=(obelisk ${line}); COMP_CWORD=${words.length}; COMPREPLY=(); _obelisk
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const ran = spawnSync('bash', ['--norc', '-c', commands], { encoding: 'utf8', cwd: folder });
    assert.equal(ran.stderr, '');
    return ran.stdout.trim().split('\n');
  };
  assert.deepEqual(complete('mod'), ['models']);
  assert.deepEqual(complete('models', 'pu'), ['pull', 'push']);
  assert.deepEqual(complete('models', 'create', '--qu'), ['--quantize']);
  assert.deepEqual(complete('models', 'rm', 't'), ['tiny:latest']);
  assert.deepEqual(complete('models', 'create', '--file', 'ob'), ['obelisk.bash']);
  assert.deepEqual(complete('ollama', 'p'), ['profiles']);
});
