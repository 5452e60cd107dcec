import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOADER_CORE, placeOn } from '../bench.ts';
import type { Bench } from '../bench.ts';
import { cleanEnvironment, startProgram } from '../processes.ts';
import type { Program } from '../processes.ts';
import type { LoaderMessage, LoaderReport, LoaderTask } from './protocol.ts';

/** The loader as its owner sees it. */
export type StreamLoader = {
  readonly pid: number;
  tell(message: Exclude<LoaderMessage, 'report'>): void;
  report(): Promise<LoaderReport>;
  /** Waits until so many streams have begun or failed, or until `limitMs` have gone by. */
  settled(streams: number, limitMs: number): Promise<LoaderReport>;
  stop(): Promise<void>;
};

/** Starts the upstream of paced streams. */
export async function startStreamMock(
  bench: Pick<Bench, 'directory'>,
  { events, intervalMs }: { readonly events: number; readonly intervalMs: number },
): Promise<Program> {
  const place = await placeOn(LOADER_CORE, bench);
  const script = join(import.meta.dirname, 'mock.ts');
  const command = [process.execPath, script, String(place.port), String(events), String(intervalMs)];
  return startProgram('stream-mock', { command }, place);
}

/** Starts the loader of streams on the loader's core. */
export function startStreamLoader(task: LoaderTask): StreamLoader {
  const script = join(import.meta.dirname, 'loader.ts');
  const child = spawn(
    'taskset',
    ['-c', String(LOADER_CORE), process.execPath, script, JSON.stringify(task)],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: cleanEnvironment() },
  );
  const report = async (): Promise<LoaderReport> => {
    const answer = once(child, 'message');
    child.send('report');
    const [message] = (await answer) as [LoaderReport];
    return message;
  };
  return {
    pid: child.pid ?? 0,
    tell: (message) => void child.send(message),
    report,
    settled: async (streams, limitMs) => {
      const deadline = performance.now() + limitMs;
      for (;;) {
        const current = await report();
        if (current.begun + current.failed >= streams || performance.now() > deadline) return current;
        await sleep(50);
      }
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
