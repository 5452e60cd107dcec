import type { Headers } from '../wire/http.ts';
import type { Call } from './call.ts';

/**
 * Works for a client with a signal that aborts once it has gone, or once the server ends the call, which
 * is then told so with `headers`.
 */
export async function untilGone<T>(
  call: Call,
  work: (signal: AbortSignal) => Promise<T>,
  headers: Headers = {},
): Promise<T> {
  const controller = new AbortController();
  const stopWatching = call.onGone(() => {
    controller.abort();
    call.settle('client_gone');
  });
  call.interrupted = (error) => {
    call.fail(error, headers);
    controller.abort(error);
  };
  try {
    return await work(controller.signal);
  } finally {
    stopWatching();
  }
}
