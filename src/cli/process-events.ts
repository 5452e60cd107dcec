import { closeSync, openSync } from 'node:fs';

/** What happens to a process that serves, beside being told to end. */
export type ProcessEvents = {
  /**
   * Calls `listener` when the process is asked to read its configuration anew: SIGHUP, where the
   * platform has it and it does not mean that the terminal is gone.
   */
  onHangUp(listener: () => void): void;
  /** Calls `listener` with what nobody caught, a rejection included. Without one the process dies of it. */
  onCrash(listener: (error: unknown) => void): void;
  /** Calls `listener` last, however the process ends by itself; only what is done at once counts. */
  onExit(listener: () => void): void;
  /** What the process writes need not be read, nor find room, from now on: a server outlives its log. */
  outliveReaders(): void;
  /** Ends the process at once. */
  exit(code: number): void;
};

/** What the events of a process bring about. */
export type EventTargets = Pick<ProcessEvents, 'outliveReaders'> & {
  /** Called when its terminal is gone. */
  stop(): void;
};

/** Binds to the events of this process until `release`. */
export function bindProcessEvents({ stop, outliveReaders }: EventTargets): {
  events: ProcessEvents;
  release(): void;
} {
  const undos: (() => void)[] = [];
  const on = (event: string, listener: (...values: readonly unknown[]) => void): void => {
    process.on(event, listener);
    undos.push(() => process.off(event, listener));
  };
  return {
    events: {
      onHangUp(listener) {
        // On Windows it is sent when the console closes, and the process has seconds to live.
        if (process.platform === 'win32') on('SIGHUP', stop);
        else on('SIGHUP', () => (isTerminalGone() ? stop() : listener()));
      },
      onCrash: (listener) => on('uncaughtException', listener),
      onExit: (listener) => on('exit', listener),
      outliveReaders,
      exit: (code) => process.exit(code),
    },
    release() {
      for (const undo of undos) undo();
    },
  };
}

/** A program that was started by hand ends with its window, as every other does. */
function isTerminalGone(): boolean {
  if (!process.stdout.isTTY && !process.stderr.isTTY) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
