import { homedir } from 'node:os';
import type { Environment } from '../config/substitute.ts';
import { bindProcessEvents } from './process-events.ts';
import type { ProcessEvents } from './process-events.ts';

/** Something to write to. */
export type Output = {
  readonly isTerminal: boolean;
  /** Characters in a line; 80 where nobody knows. */
  readonly columns: number;
  write(text: string): void;
};

/** Everything of the surrounding process that a command may use. */
export type Terminal = {
  /** Results, and nothing else, so that pipes work. */
  readonly stdout: Output;
  /** Progress, notices and errors. */
  readonly stderr: Output;
  /** Reads standard input to its end. */
  readonly readInput: () => Promise<string>;
  readonly environment: Environment;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly homeDir: string;
  /** Aborts when the person or the system wants an end, or nobody reads the results any more. */
  readonly signal: AbortSignal;
  /** What else happens to the process. */
  readonly events: ProcessEvents;
};

/** Why a command was told to end. */
export type StopReason = 'interrupted' | 'terminated' | 'unread';

/** A terminal with its release. */
export type ProcessTerminal = {
  readonly terminal: Terminal;
  readonly stopReason: () => StopReason | undefined;
  readonly release: () => void;
};

/**
 * How long signals are one and the same, in milliseconds: supervisors and `timeout` tell a process and
 * its group, and `npm start` passes on what both were told.
 */
const SAME_SIGNAL_MS = 200;

/**
 * Binds a terminal to this process: Ctrl-C and SIGTERM ask for an end once and kill on the second
 * time; a reader that went away (`| head`) asks for an end quietly.
 */
export function createProcessTerminal(): ProcessTerminal {
  const stopping = new AbortController();
  let reason: StopReason | undefined;
  let signalledMs: number | undefined;
  const stop = (why: StopReason): void => {
    reason ??= why;
    stopping.abort();
  };
  const onSignal = (why: 'interrupted' | 'terminated'): void => {
    const nowMs = performance.now();
    signalledMs ??= nowMs;
    const again = nowMs - signalledMs > SAME_SIGNAL_MS;
    if (again || reason === 'unread') process.exit(why === 'interrupted' ? 130 : 143);
    stop(why);
  };
  const onInterrupt = (): void => onSignal('interrupted');
  const onTerminate = (): void => onSignal('terminated');
  let outlives = false;
  const onWriteError = (error: NodeJS.ErrnoException): void => {
    if (outlives) return;
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
    stop('unread');
  };
  const { events, release } = bindProcessEvents({
    stop: onTerminate,
    outliveReaders: () => {
      outlives = true;
    },
  });
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', onWriteError);
  return {
    terminal: {
      stdout: toOutput(process.stdout, onWriteError),
      stderr: toOutput(process.stderr, onWriteError),
      readInput: readStandardInput,
      environment: process.env,
      cwd: process.cwd(),
      platform: process.platform,
      homeDir: homedir(),
      signal: stopping.signal,
      events,
    },
    stopReason: () => reason,
    release: () => {
      process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate);
      release();
    },
  };
}

function toOutput(stream: NodeJS.WriteStream, onError: (error: NodeJS.ErrnoException) => void): Output {
  return {
    isTerminal: stream.isTTY,
    get columns() {
      return stream.columns || 80;
    },
    write: (text) => {
      try {
        stream.write(text);
      } catch (error) {
        // A pipe tells of its errors by an event, a file by throwing them.
        if (!(error instanceof Error)) throw error;
        onError(error);
      }
    },
  };
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
