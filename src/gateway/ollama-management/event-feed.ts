import { ObeliskError } from '../../shared/errors.ts';
import type { Call } from '../call.ts';
import { EventStream, SERVER_SENT_EVENTS } from '../event-stream.ts';
import type { Heartbeat, StreamFraming } from '../event-stream.ts';

/** What a feed of events is made of. */
export type EventFeed<Event> = {
  readonly heartbeat: Heartbeat;
  /** How the stream is written; as server-sent events unless told. */
  readonly framing?: StreamFraming;
  /** Sent at once: its reader knows that it is connected before anything happens. */
  readonly greeting?: string;
  /** Opens the source; it ends soon after the signal aborts. */
  readonly open: (signal: AbortSignal) => AsyncIterable<Event>;
  /** The event in the format of the stream; empty where it has nothing to tell. */
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
  const { heartbeat, framing = SERVER_SENT_EVENTS, greeting = '' } = feed;
  const output = new EventStream(call, heartbeat, framing);
  const send = async (text: string): Promise<void> => {
    if (text !== '' && !output.send(text)) await output.drained();
  };
  signal.addEventListener('abort', () => output.fail(signal.reason), { once: true });
  try {
    await send(greeting);
    for await (const event of feed.open(signal)) {
      if (signal.aborted) return;
      await send(feed.toText(event));
    }
    if (!signal.aborted) output.end('');
  } catch (error) {
    if (!signal.aborted) output.fail(error);
  } finally {
    forget();
  }
}
