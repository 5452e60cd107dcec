/** `npm run build`: makes in `dist/` what is published: bundles, type declarations, the page's files, licences. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { bundle } from './bundle.ts';
import { licenceNotes } from './licence-notes.ts';

rmSync('dist', { recursive: true, force: true });
const declared = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
if (declared.status !== 0) process.exit(declared.status ?? 1);
const packages = await bundle('dist');
writeFileSync('dist/THIRD-PARTY-LICENSES.txt', licenceNotes(packages));
cpSync('src/site/assets', 'dist/assets', { recursive: true });
