import type { QueuePlace } from '../providers/chat.ts';

const QUEUED = /^: queued position=(\d+)(?: wait=(\d+(?:\.\d+)?)s)?/;

/** Writes where a request waits as a comment of an event stream, which no client takes for data. */
export function toQueueComment({ position, waitMs }: QueuePlace): string {
  const wait = waitMs === undefined ? '' : ` wait=${(waitMs / 1_000).toFixed(1)}s`;
  return `: queued position=${position}${wait}\n\n`;
}

/** Reads such a comment; undefined for any other. */
export function readQueueComment(text: string): QueuePlace | undefined {
  const [, position, wait] = QUEUED.exec(text) ?? [];
  if (position === undefined) return undefined;
  return { position: Number(position), ...(wait === undefined ? {} : { waitMs: Number(wait) * 1_000 }) };
}
