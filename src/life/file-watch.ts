import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a file is watched. */
export type FileWatchOptions = {
  /** Path; links in it are followed anew at every look. */
  readonly file: string;
  /** Called when the file has changed and come to rest, or is gone for good. */
  readonly onChange: () => void;
  /** Milliseconds since the epoch when the file was last read: what was written since is a change. */
  readonly readAtMs: number;
  /** Milliseconds between two looks; 1,000 unless told. */
  readonly everyMs?: number;
  /** Milliseconds that a file must stay the same before it is read; 250 unless told. */
  readonly settleMs?: number;
};

/** A running watch. */
export type FileWatch = { close(): void };

const EVERY_MS = 1_000;
const SETTLE_MS = 250;
const MISSING = 'missing';

/**
 * Watches one file by looking at it. The system's own watches follow the file they were given and not
 * what takes its place: the swap of a link's target two folders away (a mounted ConfigMap), another
 * machine's write on a network drive or an atomic save go by unseen, while one look a second costs
 * microseconds and sees them all.
 */
export function watchFile(options: FileWatchOptions): FileWatch {
  const closing = new AbortController();
  const { file, readAtMs, everyMs = EVERY_MS, settleMs = SETTLE_MS } = options;
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: closing.signal, ref: false });
  let known = firstMark(file, readAtMs);
  const look = async (): Promise<void> => {
    let seen = await markOf(file);
    if (seen === known) return;
    // A file that is being written may be valid YAML long before it is whole.
    for (let before: string | undefined; seen !== before;) {
      before = seen;
      await pause(settleMs);
      seen = await markOf(file);
    }
    if (seen === known) return;
    known = seen;
    options.onChange();
  };
  const run = async (): Promise<void> => {
    try {
      for (;;) {
        await pause(everyMs);
        await look();
      }
    } catch (error) {
      // A pause that `close` ends is the way out; what else goes wrong ends the process, as it should.
      if (!closing.signal.aborted) throw error;
    }
  };
  void run();
  return { close: () => closing.abort() };
}

function firstMark(file: string, readAtMs: number): string | undefined {
  const facts = statSync(file, { throwIfNoEntry: false });
  if (facts === undefined) return MISSING;
  return facts.mtimeMs > readAtMs ? undefined : toMark(facts);
}

async function markOf(file: string): Promise<string> {
  try {
    return toMark(await stat(file));
  } catch {
    // Why it cannot be read is told by whoever reads it.
    return MISSING;
  }
}

type Facts = { readonly dev: number; readonly ino: number; readonly size: number; readonly mtimeMs: number };

function toMark({ dev, ino, size, mtimeMs }: Facts): string {
  return [dev, ino, size, mtimeMs].join(' ');
}
