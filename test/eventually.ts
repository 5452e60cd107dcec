import assert, { AssertionError } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** How soon what a test waits for must have come, in milliseconds, unless told. */
const SOON_MS = 2_000;

/** Waits until an assertion about what goes on elsewhere holds, `withinMs` milliseconds at most. */
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

/** Waits until `condition` holds, `withinMs` milliseconds at most. */
export function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs: number = SOON_MS,
): Promise<void> {
  return eventually(async () => assert.ok(await condition(), `waited in vain until ${what}`), withinMs);
}
