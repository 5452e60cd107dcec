import { ObeliskError } from '../shared/errors.ts';

import type { ControlEvent } from './control-plane.ts';

/** An event as it is told, before its time is put on it. */
export type ControlEventBody = ControlEvent extends infer One
  ? One extends ControlEvent
    ? Omit<One, 'atMs'>
    : never
  : never;

/** What happens on the hosts, for everybody who wants to hear of it. */
export type ControlEvents = {
  /** Tells an event to everybody who listens now. Costs nothing where nobody does. */
  publish(event: ControlEventBody): void;
  /**
   * What happens from now on, until `signal` aborts.
   * @throws ObeliskError `overloaded` where the reader is so late that events would have to be dropped.
   */
  subscribe(signal: AbortSignal): AsyncIterable<ControlEvent>;
  /** How many listen. */
  listeners(): number;
};

/** Events that wait for one reader. */
const MAX_WAITING = 1_024;

/** Creates the events of one process. @param unixMs Milliseconds since the epoch. */
export function createControlEvents(unixMs: () => number): ControlEvents {
  const subscribers = new Set<Subscriber>();
  return {
    publish(event) {
      if (subscribers.size === 0) return;
      // One object for all of them: whoever makes a text of it makes it once.
      const dated: ControlEvent = { ...event, atMs: unixMs() };
      for (const subscriber of subscribers) subscriber.push(dated);
    },
    // Listening begins with the call, not with the first read: nothing in between is missed.
    subscribe(signal) {
      const subscriber = new Subscriber();
      if (signal.aborted) subscriber.end();
      else subscribers.add(subscriber);
      const leave = (): void => {
        subscribers.delete(subscriber);
        subscriber.end();
      };
      signal.addEventListener('abort', leave, { once: true });
      return reading(subscriber, () => {
        signal.removeEventListener('abort', leave);
        leave();
      });
    },
    listeners: () => subscribers.size,
  };
}

class Subscriber {
  ended = false;
  overrun = false;
  #waiting: ControlEvent[] = [];
  #wake: (() => void) | undefined;

  push(event: ControlEvent): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.overrun = true;
      this.#waiting = [];
    }
    if (!this.overrun) this.#waiting.push(event);
    this.#wake?.();
  }

  end(): void {
    this.ended = true;
    this.#wake?.();
  }

  take(): ControlEvent | undefined {
    return this.#waiting.shift();
  }

  more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

async function* reading(subscriber: Subscriber, leave: () => void): AsyncIterable<ControlEvent> {
  try {
    while (!subscriber.ended) {
      const event = subscriber.take();
      if (event !== undefined) yield event;
      else if (subscriber.overrun) throw tooLate();
      else await subscriber.more();
    }
  } finally {
    leave();
  }
}

function tooLate(): ObeliskError {
  return new ObeliskError(
    'overloaded',
    `the reader of the events is more than ${MAX_WAITING} events late; read them anew and faster`,
    { retryAfter: 1 },
  );
}
