import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

/** What is started from outside: the library, the command line, the threads. */
const ENTRIES = {
  main: 'src/main.ts',
  cli: 'src/cli/main.ts',
  worker: 'src/rag/service/worker.ts',
  'digest-worker': 'src/ollama/create/digest-worker.ts',
};

/** What a server starts with is one bundle, with all that it imports: a dozen files more cost 4 ms. */
const START = /src[\\/]cli[\\/](?:main|serve|open-program)\.ts$/;

/**
 * Bundles the sources and what they depend on into one flat folder, so that files which modules find
 * beside themselves (the worker, the page's assets) lie beside every bundle. What the sources import
 * lazily stays a bundle of its own. Names and lines stay readable, for the stacks of defects.
 * @returns folders of the packages that went into the bundles.
 */
export async function bundle(folder: string): Promise<readonly string[]> {
  const build = await rolldown({
    input: ENTRIES,
    platform: 'node',
    external: /^node:/,
    onLog(level, log) {
      if (level === 'warn') throw new Error(`the bundler warns: ${log.message}`);
    },
  });
  const { output } = await build.generate({
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups: [{ name: 'serve', test: START }] },
  });
  await build.close();
  mkdirSync(folder, { recursive: true });
  const chunks = output.filter((file) => file.type === 'chunk');
  for (const { fileName, code } of chunks)
    writeFileSync(join(folder, fileName), toAscii(plainBuiltins(code)));
  const modules = chunks.flatMap((chunk) => chunk.moduleIds);
  return [...new Set(modules.flatMap(packageOf))].toSorted();
}

/** The innermost folder of `node_modules` that a module lies in. */
function packageOf(module: string): readonly string[] {
  const found = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(module);
  return found === null ? [] : [found[0]];
}

/**
 * Takes Node's own modules as they are. For an `import` Node reads every property of the module, and
 * some are getters that load much: `node:http` brings the whole of `fetch`, for 20 ms of each start.
 */
function plainBuiltins(code: string): string {
  const plain = code.replaceAll(
    /^import (?:\* as )?([\w$]*)(?:, )?(\{.*\})? from "(node:[\w/]+)";$/gm,
    (...[, whole = '', named = '', module = '']: string[]) =>
      [whole, named.replaceAll(' as ', ': ')]
        .filter((target) => target !== '')
        .map((target) => `const ${target} = process.getBuiltinModule("${module}");`)
        .join(' '),
  );
  const left = /^(?:import|export) [^\n]*"node:[^\n]*/m.exec(plain);
  if (left !== null) throw new Error(`a builtin is imported in a way that is not known: ${left[0]}`);
  return plain;
}

/**
 * Escapes what is beyond ASCII: with one character beyond Latin-1 V8 keeps the whole text of a bundle
 * in two bytes each, which is 2 MB of a gateway's memory. Only raw templates would show the difference.
 */
function toAscii(code: string): string {
  const raw = /String\.raw`[^`]*[^\0-\x7f]/.exec(code);
  if (raw !== null) throw new Error(`a raw template must be ASCII: ${raw[0]}`);
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
