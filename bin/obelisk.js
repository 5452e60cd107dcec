#!/usr/bin/env node
// Runs on any Node, so that an old one gets one sentence instead of a syntax error.
import { existsSync } from 'node:fs';
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `obelisk needs Node 24 or newer and runs on ${process.version} here: install Node 24 LTS, or run it in a clone with "npm ci && npm start", which brings its own.\n`,
  );
  process.exitCode = 1;
} else {
  // What was compiled is kept from one start to the next, which halves the time to ready; beside the
  // program, because what other users can write to must not be run.
  nodeModule.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url)));
  // A clone runs the sources; the published package has only what was built from them.
  const source = new URL('../src/cli/main.ts', import.meta.url);
  const { main } = await import(
    existsSync(source) ? source.href : new URL('../dist/src/cli/main.js', import.meta.url).href
  );
  process.exitCode = await main(process.argv.slice(2));
}
