import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work between two turns of the event loop: what a search may have to wait for. */
export const SLICE_MS = 20;

/** Says whether a slice of work that begins now may go on. */
export function startSlice(): () => boolean {
  const end = performance.now() + SLICE_MS;
  return () => performance.now() < end;
}

/** Lets the messages that wait (a search above all) be handled. */
export async function yieldToMessages(): Promise<void> {
  await setImmediate();
}
