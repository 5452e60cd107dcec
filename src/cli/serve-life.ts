import { once } from 'node:events';
import { watchFile } from '../life/file-watch.ts';
import { EXIT } from './command.ts';
import type { Listening, Program } from './program.ts';
import type { ProcessEvents } from './process-events.ts';
import type { Terminal } from './terminal.ts';

/** What runs, and where its configuration lies. */
export type Served = {
  readonly terminal: Terminal;
  readonly program: Program;
  readonly listening: Listening;
  readonly hangUps: HangUps;
  /** Watched for changes, whether it exists or not. */
  readonly configFile: string;
  /** Milliseconds since the epoch when it was read. */
  readonly readAtMs: number;
};

/** Requests to read the configuration anew, from before anybody can serve them. */
export type HangUps = {
  /** Calls `listener` at each, and now where one came before. */
  listen(listener: () => void): void;
};

/** Keeps a SIGHUP from ending a process that has not yet begun to serve. */
export function hearHangUps(events: ProcessEvents): HangUps {
  let missed = false;
  let heard = (): void => {
    missed = true;
  };
  events.onHangUp(() => heard());
  return {
    listen(listener) {
      heard = listener;
      if (missed) listener();
    },
  };
}

/** What nobody caught leaves the process in a state that nobody knows: it ends sooner. */
const CRASH_DRAIN_MS = 10_000;
/** How long closing everything may take after the last request, before the process ends all the same. */
const CLOSE_MS = 10_000;
/** Crashes of a process that ends already that are worth a line. */
const CRASHES_TOLD = 10;

/**
 * Serves until the process is told to end, or crashes; reloads the configuration meanwhile when it
 * changes or SIGHUP comes. Resolves to the exit code when the last request has ended.
 */
export async function serveUntilEnd(served: Served): Promise<number> {
  const { terminal, program, listening } = served;
  const { events, signal } = terminal;
  const crash = Promise.withResolvers<'crashed'>();
  let crashes = 0;
  events.onCrash((error) => {
    crashes += 1;
    if (crashes <= CRASHES_TOLD) program.noteCrash(error);
    crash.resolve('crashed');
  });
  events.onExit(() => {
    listening.forget();
    program.flushLog();
  });
  const reload = coalesce(() => program.reload());
  served.hangUps.listen(reload);
  const { configFile: file, readAtMs } = served;
  const watch = watchFile({ file, readAtMs, onChange: reload });
  const told = signal.aborted ? 'told' : once(signal, 'abort').then(() => 'told' as const);
  const end = await Promise.race([told, crash.promise]);
  watch.close();
  const drainMs = Math.min(end === 'crashed' ? CRASH_DRAIN_MS : Infinity, program.drainMs());
  // Whatever hangs then must not keep the process: its supervisor waits for the end to start another.
  setTimeout(() => events.exit(EXIT.failure), drainMs + CLOSE_MS).unref();
  await listening.close(drainMs);
  return end === 'crashed' ? EXIT.failure : EXIT.ok;
}

/** Calls that come while one runs become one call after it. */
function coalesce(run: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  const start = async (): Promise<void> => {
    running = true;
    do {
      again = false;
      await run();
    } while (again);
    running = false;
  };
  return () => {
    if (running) again = true;
    else void start();
  };
}
