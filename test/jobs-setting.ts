/** Jobs against a scripted Ollama: an engine, its store in a folder of its own, and what it told. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createOllamaClient } from '../src/ollama/api/client.ts';
import type { Job } from '../src/ollama/control-plane.ts';
import { createJobStore } from '../src/ollama/jobs/job-store.ts';
import type { JobStore } from '../src/ollama/jobs/job-store.ts';
import { createOllamaJobs } from '../src/ollama/jobs/jobs.ts';
import type { OllamaJobs, OllamaJobsOptions } from '../src/ollama/jobs/jobs.ts';
import { silentLogger } from '../src/telemetry/log.ts';
import { createUpstreamClient } from '../src/wire/upstream-client.ts';
import { startScriptedOllama } from './scripted-ollama.ts';
import type { ScriptedOllama, ScriptedOllamaOptions } from './scripted-ollama.ts';

/** What runs. */
export type JobsSetting = AsyncDisposable & {
  readonly ollama: ScriptedOllama;
  readonly jobs: OllamaJobs;
  /** Every change that was told of, in order. */
  readonly told: readonly Job[];
  readonly dataDir: string;
  /** Another engine on the same data directory, as the next process has it. */
  another(more?: Partial<OllamaJobsOptions>): OllamaJobs;
  /** Waits for the end of a job. */
  ended(id: string, jobs?: OllamaJobs): Promise<Job>;
};

/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal;

/** Starts both. Pauses between tries are milliseconds. */
export async function startJobs(
  scripted: ScriptedOllamaOptions,
  more: Partial<OllamaJobsOptions> = {},
  /** What becomes of a store. */
  storedBy: (store: JobStore) => JobStore = (store) => store,
): Promise<JobsSetting> {
  const ollama = await startScriptedOllama(scripted);
  const upstream = createUpstreamClient();
  const dataDir = mkdtempSync(path.join(tmpdir(), 'obelisk-jobs-'));
  const told: Job[] = [];
  const engines: OllamaJobs[] = [];
  const client = createOllamaClient({ url: ollama.url, upstream });
  const another = (own: Partial<OllamaJobsOptions> = {}): OllamaJobs => {
    const jobs = createOllamaJobs({
      clientOf: (host) => (host === 'here' ? client : undefined),
      hostFor: ({ host = 'here' }) => host,
      rules: () => ({
        registries: ['registry.ollama.ai', '127.0.0.1:5000'],
        insecureRegistries: ['127.0.0.1:5000'],
      }),
      prepareCreate: () => Promise.reject(new Error('nothing is created here')),
      load: ({ model }, _host, signal) => client.load({ model, options: { num_ctx: 2_048 } }, signal),
      store: storedBy(createJobStore(dataDir, silentLogger)),
      logger: silentLogger,
      onChange: (job) => told.push(job),
      retry: { firstPauseMs: 2, longestPauseMs: 10 },
      ...more,
      ...own,
    });
    engines.push(jobs);
    return jobs;
  };
  const jobs = another();
  return {
    ollama,
    jobs,
    told,
    dataDir,
    another,
    async ended(id, of = jobs) {
      let last = of.get(id);
      for await (const job of of.watch(id, never)) last = job;
      return last;
    },
    async [Symbol.asyncDispose]() {
      for (const engine of engines) await engine.close();
      await upstream.close();
      await ollama[Symbol.asyncDispose]();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
