import { setTimeout as sleep } from 'node:timers/promises';

import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import { doJob } from './job-work.ts';
import type { WorkOrder } from './job-work.ts';
import { fruitlessTries, isWorthRetrying, pauseMs } from './retry.ts';
import type { RetryRules } from './retry.ts';
import type { TransferProgress } from './transfer-progress.ts';

/** One job and who hears of it. */
export type JobRun = {
  /**
   * What to do, asked for at each attempt: the host may have moved.
   * @throws ObeliskError where its host is not configured any more.
   */
  readonly order: () => WorkOrder;
  readonly progress: TransferProgress;
  readonly rules: RetryRules;
  /** Ends it, in the middle of an attempt as in a pause. */
  readonly signal: AbortSignal;
  readonly onAttempt: () => void;
  readonly onStep: () => void;
  /** An attempt failed, and another one follows. */
  readonly onPause: (error: ObeliskError, forMs: number) => void;
};

/**
 * Does a job to its end, trying again where that may help: as often as it takes while tries move
 * something, else a bounded number of times with growing pauses.
 * @throws ObeliskError of the last try; anything once `signal` has aborted.
 */
export async function runJob(run: JobRun): Promise<void> {
  const { progress, rules, signal } = run;
  for (let fruitless = 0; ;) {
    const before = progress.furthestBytes;
    run.onAttempt();
    progress.beginAttempt();
    const { error, kind } = await attempt(run);
    if (error === undefined) return;
    fruitless = progress.furthestBytes > before ? 1 : fruitless + 1;
    if (signal.aborted || !isObeliskError(error) || !isWorthRetrying(error, kind)) throw error;
    if (fruitless >= fruitlessTries(rules, error, progress.furthestBytes)) throw error;
    const pause = pauseMs(rules, fruitless, error.retryAfter);
    run.onPause(error, pause);
    await sleep(pause, undefined, { signal });
  }
}

type Attempt = { readonly error: unknown; readonly kind: WorkOrder['spec']['kind'] };

async function attempt(run: JobRun): Promise<Attempt> {
  const order = run.order();
  const { kind } = order.spec;
  // What an attempt has begun, an upload in the background say, ends with it.
  const over = new AbortController();
  const stalled = watchForStall(run, order, over);
  try {
    for await (const step of doJob(order, AbortSignal.any([run.signal, over.signal]))) {
      run.signal.throwIfAborted();
      run.progress.note(step);
      run.onStep();
    }
    return { error: undefined, kind };
  } catch (error) {
    return { error: stalled.error ?? error, kind };
  } finally {
    stalled.stop();
    over.abort();
  }
}

/**
 * Ends an attempt whose transfer stands still: Ollama goes on telling of a layer that gets nothing any
 * more, and asking again has it open new connections.
 */
function watchForStall(
  { progress, rules }: JobRun,
  { client, spec }: WorkOrder,
  over: AbortController,
): { readonly error: ObeliskError | undefined; stop(): void } {
  let error: ObeliskError | undefined;
  const timer = setInterval(() => {
    // Converting and loading tell of no bytes, or of steps that take as long as they take.
    const isTransfer = spec.kind === 'pull' || spec.kind === 'push';
    if (!isTransfer || progress.stalledMs < rules.stallMs) return;
    error = new ObeliskError(
      'upstream_timeout',
      `ollama ${client.url}: the transfer of ${spec.model} stood still for ${Math.round(rules.stallMs / 1000)} s`,
    );
    over.abort();
  }, rules.stallMs / 8);
  timer.unref();
  return {
    get error() {
      return error;
    },
    stop: () => clearInterval(timer),
  };
}
