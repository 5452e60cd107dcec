import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MASTER_KEY, MODEL } from '../bodies.ts';
import { startProgram } from '../processes.ts';
import type { Command, Place, Program } from '../processes.ts';

/** What serves connections: the codec of Obelisk's own, or Node's `http`. */
export type Transport = 'codec' | 'node';

/** How Obelisk is started. */
export type ObeliskOptions = {
  readonly upstream: string;
  readonly transport: Transport;
  /** The `bin/obelisk.js` to run, the clone's own unless told. */
  readonly program?: string;
  /** Options for Node itself, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
  /** More environment. */
  readonly environment?: NodeJS.ProcessEnv;
};

/** Entries of the one model, all of them the same mock. */
export const DEPLOYMENTS = 3;
const ROOT = join(import.meta.dirname, '../../..');

/** Limits that are counted with every request and never reached. */
const LIMITS = { rpm: 1_000_000_000, tpm: 1_000_000_000, max_parallel_requests: 1_000_000 };

/**
 * The command that runs Obelisk with all it does switched on: the key of every request checked,
 * limits counted, one of three deployments chosen, usage metered, metrics kept, one line of the
 * access log for each request. No vault is served and no Ollama is in reach.
 */
export function obeliskCommand(options: ObeliskOptions, { port, directory }: Place): Command {
  const file = join(directory, `obelisk-${options.transport}.yaml`);
  const deployment = {
    model_name: MODEL,
    litellm_params: {
      model: `openai/${MODEL}`,
      api_base: `${options.upstream}/v1`,
      api_key: 'sk-upstream',
      ...LIMITS,
    },
  };
  // JSON is YAML.
  const configuration = {
    general_settings: { master_key: MASTER_KEY },
    model_list: Array.from({ length: DEPLOYMENTS }, () => deployment),
    log: { level: 'info', format: 'json' },
  };
  writeFileSync(file, JSON.stringify(configuration, undefined, 2));
  const command = [
    process.execPath,
    ...(options.nodeOptions ?? []),
    options.program ?? join(ROOT, 'bin/obelisk.js'),
    'serve',
    '--config',
    file,
    '--port',
    String(port),
  ];
  const environment = {
    OBELISK_DATA_DIR: join(directory, `data-${options.transport}-${port}`),
    OBELISK_TRANSPORT: options.transport,
    // Nothing listens there: looking for models must cost nothing that matters.
    OLLAMA_HOST: '127.0.0.1:1',
    ...options.environment,
  };
  return { command, environment, headers: { authorization: `Bearer ${MASTER_KEY}` } };
}

/** Starts Obelisk in front of an upstream. */
export function startObelisk(options: ObeliskOptions, place: Place): Promise<Program> {
  return startProgram(`obelisk ${options.transport}`, obeliskCommand(options, place), place);
}

/**
 * Builds Obelisk as it is published, without the sources that `bin/obelisk.js` would prefer, once in a
 * folder, and returns its `bin/obelisk.js`.
 * @throws Error when the build fails.
 */
export function buildObelisk(directory: string): string {
  const target = join(directory, 'built');
  if (!existsSync(target)) {
    const built = spawnSync(process.execPath, ['scripts/build.ts'], { cwd: ROOT, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`the build failed: ${built.stdout}${built.stderr}`);
    for (const name of ['package.json', 'bin', 'dist'])
      cpSync(join(ROOT, name), join(target, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(target, 'node_modules'));
  }
  return join(target, 'bin/obelisk.js');
}
