/** The real program beside an Ollama, asked over its management routes, ended and started again on the same data. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Job, JobSpec } from '../src/ollama/control-plane.ts';
import { hasEnded } from '../src/ollama/jobs/follow-job.ts';
import { TOKEN_FILE } from '../src/server-file.ts';
import { startProgram } from './program.ts';
import type { Program } from './program.ts';

/** A data directory and the server that runs on it, one after the other. */
export type ManagedProgram = AsyncDisposable & {
  readonly url: string;
  readonly dataDir: string;
  /** What opens its management: the key of the data directory. */
  headers(): { readonly authorization: string };
  /** Calls a management route with the key of the data directory; the answer as JSON. */
  call(method: string, route: string, body?: unknown): Promise<{ status: number; json: unknown }>;
  startJob(spec: JobSpec): Promise<Job>;
  job(id: string): Promise<Job>;
  /** Asks again and again until a job is as wanted. */
  until(id: string, wanted: (job: Job) => boolean): Promise<Job>;
  /** Ends the process without a word. */
  kill(): Promise<void>;
  /** Asks the process to end, and gives its exit code. */
  end(): Promise<number | null>;
  /** Starts the next process on the same data. */
  start(): Promise<void>;
};

/** Starts the program beside an Ollama. @param more Lines of its configuration below `providers.ollama`. */
export async function startManaged(ollamaUrl: string, more: readonly string[] = []): Promise<ManagedProgram> {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-managed-'));
  const dataDir = path.join(folder, 'data');
  const lines = [`url: ${JSON.stringify(ollamaUrl)}`, ...more].map((line) => `    ${line}\n`).join('');
  writeFileSync(path.join(folder, 'obelisk.yaml'), `providers:\n  ollama:\n${lines}vaults: []\n`);
  const start = (): Promise<Program> =>
    startProgram({ args: ['serve', '--port', '0'], cwd: folder, env: { OBELISK_DATA_DIR: dataDir } });
  let program = await start();
  const headers: ManagedProgram['headers'] = () => ({
    authorization: `Bearer ${readFileSync(path.join(dataDir, TOKEN_FILE), 'utf8')}`,
  });
  const call: ManagedProgram['call'] = async (method, route, body) => {
    const response = await fetch(`${program.url}${route}`, {
      method,
      headers: { ...headers(), 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: await response.json() };
  };
  const jobFrom = async (asked: ReturnType<typeof call>): Promise<Job> => {
    const { status, json } = await asked;
    if (status >= 300) throw new Error(`${status}: ${JSON.stringify(json)}`);
    return json as Job;
  };
  const job = (id: string): Promise<Job> => jobFrom(call('GET', `/ollama/jobs/${id}`));
  return {
    get url() {
      return program.url;
    },
    dataDir,
    headers,
    call,
    startJob: (spec) => jobFrom(call('POST', '/ollama/jobs', spec)),
    job,
    async until(id, wanted) {
      for (const end = performance.now() + 60_000; ;) {
        const now = await job(id);
        if (wanted(now)) return now;
        if (performance.now() > end || hasEnded(now)) throw new Error(`in vain: ${JSON.stringify(now)}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async kill() {
      program.signal('SIGKILL');
      await program.ended;
    },
    end() {
      program.signal('SIGTERM');
      return program.ended;
    },
    async start() {
      program = await start();
    },
    async [Symbol.asyncDispose]() {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
