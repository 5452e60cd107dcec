import { ObeliskError } from '../../shared/errors.ts';
import type { Call } from '../call.ts';
import { EventStream } from '../event-stream.ts';
import type { Heartbeat } from '../event-stream.ts';

/** What a feed of server-sent events is made of. */
export type EventFeed<Event> = {
  readonly heartbeat: Heartbeat;
  /** Opens the source; it ends soon after the signal aborts. */
  readonly open: (signal: AbortSignal) => AsyncIterable<Event>;
  /** The event in the format of the stream (HTML standard, section 9.2.6). */
  readonly toText: (event: Event) => string;
};

/**
 * Sends events until their source ends or nobody reads any more. A reader that is slow gets what there
 * is when it reads again: nothing is gathered for it here.
 */
export async function streamEvents<Event>(call: Call, feed: EventFeed<Event>): Promise<void> {
  const stopping = new AbortController();
  const forget = call.onGone(() => {
    stopping.abort(new ObeliskError('client_gone', 'the client closed the connection'));
    call.settle('client_gone');
  });
  call.interrupted = (error) => stopping.abort(error);
  const { signal } = stopping;
  const output = new EventStream(call, feed.heartbeat);
  signal.addEventListener('abort', () => output.fail(signal.reason), { once: true });
  try {
    // Its reader knows that it is connected before anything happens.
    if (!output.send(': connected\n\n')) await output.drained();
    for await (const event of feed.open(signal)) {
      if (signal.aborted) return;
      if (!output.send(feed.toText(event))) await output.drained();
    }
    if (!signal.aborted) output.end('');
  } catch (error) {
    if (!signal.aborted) output.fail(error);
  } finally {
    forget();
  }
}
