import type { Job } from '../control-plane.ts';

/** A job that changes, and those who wait for it to. */
export type Followed = {
  readonly job: Job;
  /** Called after `job` was replaced. */
  readonly listeners: Set<() => void>;
};

/** Whether nothing will change any more. */
export function hasEnded({ state }: Job): boolean {
  return state !== 'queued' && state !== 'running';
}

/**
 * The job as it is, then each time that it changed, until it has ended or `signal` aborts. Every
 * follower is given the same objects; one that is slow misses what came between, so that a follower
 * costs the same however slow it is.
 */
export async function* followJob(followed: Followed, signal: AbortSignal): AsyncGenerator<Job, void> {
  let wake = (): void => undefined;
  const listener = (): void => wake();
  followed.listeners.add(listener);
  signal.addEventListener('abort', listener);
  try {
    for (let seen: Job | undefined; !signal.aborted;) {
      const { job } = followed;
      if (job === seen) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      seen = job;
      yield job;
      if (hasEnded(job)) return;
    }
  } finally {
    followed.listeners.delete(listener);
    signal.removeEventListener('abort', listener);
  }
}
