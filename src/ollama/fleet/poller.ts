/** Looks again and again, with a growing pause while what is looked for is away. */
export type Poller = {
  /** Looks once and goes on looking; resolves after the first look. */
  start(): Promise<void>;
  /** Stops looking, cancels a look that is under way and waits for its end. */
  stop(): Promise<void>;
  /** Looks now; a look that is already under way is shared. */
  refresh(): Promise<void>;
  /** Looks now, and where a look is under way after it: that one may have missed what has just changed. */
  lookAgain(): Promise<void>;
};

/** What a poller is made of. */
export type PollerOptions = {
  /** Looks once; resolves to whether it was found. Must not reject. */
  readonly look: (signal: AbortSignal) => Promise<boolean>;
  /** Milliseconds between two looks while it is there. */
  readonly pollMs: number;
};

/** Longest pause between two looks for what is away, in milliseconds, where `pollMs` is not longer. */
const MAX_PAUSE_MS = 10_000;

/** Creates a poller. Its timer does not keep the process alive. */
export function createPoller({ look, pollMs }: PollerOptions): Poller {
  let stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let lookingAgain: Promise<void> | undefined;
  let misses = 0;
  const lookOnce = async (): Promise<void> => {
    const found = await look(stopping.signal);
    misses = found ? 0 : misses + 1;
  };
  const refresh = (): Promise<void> => {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const schedule = (): void => {
    if (stopping.signal.aborted) return;
    const grown = pollMs * 2 ** Math.min(misses, 10);
    timer = setTimeout(() => void refresh().then(schedule), Math.max(pollMs, Math.min(grown, MAX_PAUSE_MS)));
    timer.unref();
  };
  const lookAgain = (): Promise<void> => {
    if (looking === undefined) return refresh();
    lookingAgain ??= looking.then(() => {
      lookingAgain = undefined;
      return refresh();
    });
    return lookingAgain;
  };
  return {
    refresh,
    lookAgain,
    async start() {
      stopping = new AbortController();
      await refresh();
      schedule();
    },
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await looking;
    },
  };
}
