/** `npm run build`: emits to `dist/` what would be published: JavaScript, type declarations and the page's assets. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const compiled = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
cpSync('src/site/assets', 'dist/src/site/assets', { recursive: true });
