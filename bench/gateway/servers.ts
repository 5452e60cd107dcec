/** The programs that take part: nginx as a mock upstream and as a plain proxy, and what is measured. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A running program. */
export type Program = {
  readonly name: string;
  readonly origin: string;
  readonly pid: number;
  stop(): Promise<void>;
};

/** How to run a program: on one core, in a scratch folder. */
export type Place = { readonly core: number; readonly port: number; readonly directory: string };

const COMPLETION = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'gpt-mock',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'All work and no play. '.repeat(32) },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 220, completion_tokens: 160, total_tokens: 380 },
});

/** Finds a port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until something listens on a port. */
export async function waitForPort(port: number): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    await sleep(10);
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Runs a command on one core until it is stopped. */
export async function startProgram(
  name: string,
  command: readonly string[],
  place: Place & { readonly environment?: NodeJS.ProcessEnv },
): Promise<Program> {
  const child: ChildProcess = spawn('taskset', ['-c', String(place.core), ...command], {
    // The log goes to a file, as where such a program is really run.
    stdio: ['ignore', 'ignore', openSync(join(place.directory, `${name}.log`), 'a')],
    env: { ...process.env, ...place.environment },
  });
  await waitForPort(place.port);
  const stop = async (): Promise<void> => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  return { name, origin: `http://127.0.0.1:${place.port}`, pid: child.pid ?? 0, stop };
}

function startNginx(name: string, server: string, place: Place): Promise<Program> {
  const { port, directory } = place;
  const file = join(directory, `${name}.conf`);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${directory};`,
  );
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; error_log /dev/null; pid ${file}.pid;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; ${paths.join(' ')}
${server.replace('PORT', `127.0.0.1:${port}`)} }`,
  );
  return startProgram(name, ['nginx', '-e', '/dev/null', '-c', file], place);
}

/** Nginx answering every chat request with the same completion of about 1 KB. */
export function startMock(place: Place): Promise<Program> {
  const answer = `default_type application/json; return 200 '${COMPLETION}';`;
  return startNginx('mock', `server { listen PORT; location / { ${answer} } }`, place);
}

/** Nginx as a plain reverse proxy with keep-alive: the measure of all things here. */
export function startProxy(place: Place, upstream: string): Promise<Program> {
  const server = `upstream mock { server ${new URL(upstream).host}; keepalive 64; keepalive_requests 100000000; }
server { listen PORT; location / { proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; } }`;
  return startNginx('nginx', server, place);
}

/** Obelisk itself, with one deployment that points at `upstream`. */
export function startObelisk(place: Place, upstream: string): Promise<Program> {
  const { command, environment } = obeliskCommand(place, upstream);
  return startProgram('obelisk', command, { ...place, environment });
}

/** How to start Obelisk in front of `upstream`, without vaults and with no Ollama in reach. */
export function obeliskCommand(
  { port, directory }: Place,
  upstream: string,
): { readonly command: readonly string[]; readonly environment: NodeJS.ProcessEnv } {
  const file = join(directory, 'obelisk.yaml');
  writeFileSync(
    file,
    `model_list:
  - model_name: gpt-mock
    litellm_params:
      model: openai/gpt-mock
      api_base: ${upstream}/v1
      api_key: sk-bench
`,
  );
  const program = join(import.meta.dirname, '../../bin/obelisk.js');
  const command = [process.execPath, program, 'serve', '--config', file, '--port', String(port)];
  // A port that nothing listens on: discovery must cost nothing that matters.
  return { command, environment: { OBELISK_DATA_DIR: join(directory, 'data'), OLLAMA_HOST: '127.0.0.1:1' } };
}

/** The two transports with nothing between them. */
export function startBare(place: Place, upstream: string): Promise<Program> {
  const command = [
    process.execPath,
    join(import.meta.dirname, 'run.ts'),
    'bare',
    String(place.port),
    upstream,
  ];
  return startProgram('transports', command, place);
}
