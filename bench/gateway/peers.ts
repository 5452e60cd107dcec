import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Place, Program } from './processes.ts';
import { startBusbar } from './programs/busbar.ts';
import { startHaproxy } from './programs/haproxy.ts';
import { startLitellm } from './programs/litellm.ts';
import { startNginxProxy } from './programs/nginx.ts';
import type { ProxyUse } from './programs/nginx.ts';
import { buildObelisk, startObelisk } from './programs/obelisk.ts';
import { startPortkey } from './programs/portkey.ts';

/** A program that can be measured. */
export type Peer = {
  readonly name: string;
  /** Its version, or `missing`: the line that says how to give it. */
  find(): { readonly version: string } | { readonly missing: string };
  start(upstream: string, place: Place, use: ProxyUse): Promise<Program>;
};

/** Where the peers are that no package manager of the system has. */
export const PEER_VARIABLES = {
  portkey: 'OBELISK_BENCH_PORTKEY',
  litellm: 'OBELISK_LITELLM',
  busbar: 'OBELISK_BENCH_BUSBAR',
} as const;

type Found = ReturnType<Peer['find']>;

/** The first thing a command prints that looks like a version. */
function versionOf(command: string, args: readonly string[], missing: string): Found {
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 120_000 });
  if (error) return { missing };
  return { version: /\d+\.\d+(?:\.\d+)?[\w.+-]*/.exec(stdout + stderr)?.[0] ?? 'unknown' };
}

/** The folder that Portkey was installed into, and its program there. */
function portkeyProgram(): string {
  const folder = resolve(process.env[PEER_VARIABLES.portkey] ?? '');
  return join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
}

function findPortkey(): Found {
  const missing = `install it with  npm install --prefix FOLDER @portkey-ai/gateway@1.15.2 @hono/node-server@1.13.5  (with a newer node-server every stream fails) and set ${PEER_VARIABLES.portkey}=FOLDER`;
  const program = portkeyProgram();
  if (process.env[PEER_VARIABLES.portkey] === undefined || !existsSync(program)) return { missing };
  const packages = join(program, '../../../..');
  const version = (name: string): string => {
    const file = join(packages, name, 'package.json');
    if (!existsSync(file)) return 'none';
    return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
  };
  return {
    version: `${version('@portkey-ai/gateway')} with node-server ${version('@hono/node-server')}`,
  };
}

function findLitellm(): Found {
  const program = process.env[PEER_VARIABLES.litellm];
  const missing = `install it with  python3 -m venv FOLDER && FOLDER/bin/pip install 'litellm[proxy]==1.106.2'  and set ${PEER_VARIABLES.litellm}=FOLDER/bin/litellm`;
  if (program === undefined || !existsSync(program)) return { missing };
  const pip = join(program, '../pip');
  return versionOf(pip, ['show', 'litellm'], missing);
}

function findBusbar(): Found {
  const program = process.env[PEER_VARIABLES.busbar];
  const missing = `set ${PEER_VARIABLES.busbar} to its binary (1.5)`;
  if (program === undefined || !existsSync(program)) return { missing };
  return versionOf(program, ['--version'], missing);
}

const obelisk = (transport: 'codec' | 'node'): Peer => ({
  name: transport,
  find: () => ({ version: process.versions.node }),
  start: (upstream, place) =>
    startObelisk({ upstream, transport, program: buildObelisk(place.directory) }, place),
});

/** Everything that takes part, in the order of the tables. nginx is what the others are divided by. */
export const PEERS: readonly Peer[] = [
  {
    name: 'nginx',
    find: () => versionOf('nginx', ['-v'], 'install nginx with the package manager of the system'),
    start: startNginxProxy,
  },
  {
    name: 'haproxy',
    find: () => versionOf('haproxy', ['-v'], 'install haproxy with the package manager of the system'),
    start: startHaproxy,
  },
  obelisk('codec'),
  obelisk('node'),
  {
    name: 'busbar',
    find: findBusbar,
    start: (upstream, place) => startBusbar(process.env[PEER_VARIABLES.busbar] ?? '', upstream, place),
  },
  {
    name: 'portkey',
    find: findPortkey,
    start: (upstream, place) => startPortkey(portkeyProgram(), upstream, place),
  },
  {
    name: 'litellm',
    find: findLitellm,
    start: (upstream, place) => startLitellm(process.env[PEER_VARIABLES.litellm] ?? '', upstream, place),
  },
];
