import { AssertionError } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';

/** How soon another process must be where it should be, in milliseconds, unless told. */
const SOON_MS = 2_000;

/** Waits until an assertion about another process holds, `withinMs` milliseconds at most. */
export async function eventually(
  check: () => void | Promise<void>,
  withinMs: number = SOON_MS,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (!(error instanceof AssertionError) || performance.now() > deadline) throw error;
    }
    await sleep(10);
  }
}
