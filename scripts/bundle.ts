import { rolldown } from 'rolldown';
import type { Plugin } from 'rolldown';

/** What is started from outside: the library, the command line, the thread of the vaults. */
const ENTRIES = {
  main: 'src/main.ts',
  cli: 'src/cli/main.ts',
  worker: 'src/rag/service/worker.ts',
};

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
    plugins: [plainBuiltins],
    onLog(level, log) {
      if (level === 'warn') throw new Error(`the bundler warns: ${log.message}`);
    },
  });
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  });
  await build.close();
  const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
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
const plainBuiltins: Plugin = {
  name: 'plain-builtins',
  renderChunk(code) {
    const rendered = code.replaceAll(/^import (.+?) from "(node:[\w/]+)";$/gm, (_statement, names, module) =>
      takeBuiltin(String(names), String(module)),
    );
    const left = /^(?:import|export) [^\n]*"node:[^\n]*/m.exec(rendered);
    if (left !== null) throw new Error(`a builtin is imported in a way that is not known: ${left[0]}`);
    return rendered;
  },
};

/** Writes an import of a builtin, `fs, { stat as look }`, as declarations. */
function takeBuiltin(names: string, module: string): string {
  const source = `process.getBuiltinModule("${module}")`;
  const [, whole = '', named] = /^(?:\* as )?([\w$]*)(?:, )?(\{.*\})?$/.exec(names) ?? [];
  const wanted = named?.replaceAll(' as ', ': ');
  return [whole, wanted ?? '']
    .filter((target) => target !== '')
    .map((target) => `const ${target} = ${source};`)
    .join(' ');
}
