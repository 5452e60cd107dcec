import { isObeliskError } from '../shared/errors.ts';
import type { UpstreamResponse } from '../wire/upstream.ts';

/**
 * Reads an answer whose head has come. What fails from here on is marked with its status: the upstream
 * did its work, so it is not asked again.
 */
export async function afterHead<T>({ status }: UpstreamResponse, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw markHead(error, status);
  }
}

/** Marks what was thrown as having come after the head of an answer. */
export function markHead(error: unknown, status: number): unknown {
  if (!isObeliskError(error) || error.code === 'client_gone' || error.upstreamStatus !== undefined)
    return error;
  return error.with({ upstreamStatus: status });
}
