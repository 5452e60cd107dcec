#!/usr/bin/env node
// Runs on any Node, so that an old one gets one sentence instead of a syntax error. It imports nothing
// by `import`, for which Node would load more of its own modules than are used.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `obelisk needs Node 24 or newer and runs on ${process.version} here: install Node 24 LTS, or run it in a clone with "npm ci && npm start", which brings its own.\n`,
  );
  process.exitCode = 1;
} else {
  const { existsSync } = process.getBuiltinModule('node:fs');
  const { enableCompileCache, flushCompileCache } = process.getBuiltinModule('node:module');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  // What was compiled is kept from one start to the next, which halves the time to ready; beside the
  // program, because what other users can write to must not be run.
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url)));
  // It is written at the end of the process, which a server that is killed does not come to.
  setTimeout(() => flushCompileCache(), 5000).unref();
  // A clone runs the sources; the published package has only what was built from them.
  const source = new URL('../src/cli/main.ts', import.meta.url);
  const { main } = await import(
    existsSync(source) ? source.href : new URL('../dist/cli.js', import.meta.url).href
  );
  process.exitCode = await main(process.argv.slice(2));
}
