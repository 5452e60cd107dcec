import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const shell = process.platform === 'win32';

describe('the published package in an empty folder', () => {
  let folder: string;
  const environment = (): NodeJS.ProcessEnv => ({
    ...process.env,
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    OBELISK_DATA_DIR: join(folder, 'data'),
    OLLAMA_HOST: '127.0.0.1:9',
  });
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'obelisk-package-'));
    await run('npm', ['run', 'build'], { shell });
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { shell });
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
    assert.ok(tarball);
    await writeFile(join(folder, 'package.json'), '{"name":"empty","private":true,"type":"module"}');
    await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball)], {
      cwd: folder,
      shell,
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('answers a question with npx obelisk ask', async () => {
    const { stdout } = await run('npx', ['obelisk', 'ask', 'Does it write inside a vault?'], {
      cwd: folder,
      env: environment(),
      shell,
    });
    assert.match(stdout, /\[1\]/);
    assert.match(stdout, /\.md/);
  });

  it('prints its version and its help', async () => {
    const options = { cwd: folder, env: environment(), shell };
    assert.match((await run('npx', ['obelisk', '--version'], options)).stdout, /^\d+\.\d+\.\d+/);
    assert.match((await run('npx', ['obelisk', '--help'], options)).stdout, /serve/);
  });

  it('is a library: import { createObelisk } from "obelisk"', async () => {
    await writeFile(
      join(folder, 'use.js'),
      `import { createObelisk } from 'obelisk';
       const obelisk = await createObelisk();
       const answer = await obelisk.query('Does it write inside a vault?');
       process.stdout.write(JSON.stringify({ text: answer.text, sources: answer.sources.length }));
       await obelisk.close();`,
    );
    const { stdout } = await run(process.execPath, ['use.js'], { cwd: folder, env: environment() });
    const answer = JSON.parse(stdout) as { text: string; sources: number };
    assert.match(answer.text, /\[1\]/);
    assert.ok(answer.sources > 0);
  });

  it('contains no sources, tests or anything that is not meant to be published', async () => {
    const files = await readdir(join(folder, 'node_modules', 'obelisk'));
    // What was compiled by the runs above is kept beside the program.
    const published = files.filter((name) => name !== 'node_modules');
    assert.deepEqual(published.toSorted(), ['LICENSE', 'README.md', 'bin', 'dist', 'docs', 'package.json']);
  });
});
