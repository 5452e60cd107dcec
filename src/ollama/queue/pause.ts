import { setTimeout as sleep } from 'node:timers/promises';

import { ObeliskError } from '../../shared/errors.ts';

/**
 * Waits, but not longer than somebody waits for the answer.
 * @throws ObeliskError `client_gone` when `signal` aborts.
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw new ObeliskError('client_gone', 'the request was left while it waited', { cause: error });
  }
}
