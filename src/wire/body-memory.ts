import { byteLengthOf } from './body-pieces.ts';

/** Shorter bodies share Node's own slabs, in bytes. */
const MIN_BYTES = 4 * 1024;
/** Longer ones are too rare to keep memory for, in bytes. */
const MAX_BYTES = 256 * 1024;
/** Memory is made in multiples of this, so that bodies of about one length can use the same, in bytes. */
const STEP_BYTES = 16 * 1024;
/** Most memory that waits to be used again, in bytes. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/** What waits, by its length in steps. */
const kept: ArrayBuffer[][] = Array.from({ length: MAX_BYTES / STEP_BYTES + 1 }, () => []);
let keptBytes = 0;

/** What is in use and may come back. */
const lent = new WeakSet<ArrayBufferLike>();

/**
 * Memory for a body of `bytes`, its content arbitrary. It may be given back with `freeBodyMemory`, but
 * need not be. A new one for each body costs more than reading the body: an allocation, cold memory, and
 * a collection of the whole heap every five hundred bodies of 64 KiB.
 */
export function bodyMemory(bytes: number): Buffer {
  if (bytes < MIN_BYTES || bytes > MAX_BYTES) return Buffer.allocUnsafe(bytes);
  const memory = takeKept(Math.ceil(bytes / STEP_BYTES));
  lent.add(memory);
  return Buffer.from(memory, 0, bytes);
}

/**
 * Gives memory back for another body. Every view of it is empty from now on, so that whoever has kept
 * one sees nothing rather than what belongs to somebody else. Only the system must not be sending from
 * it any more: it knows no views. Does nothing for any other memory, nor a second time.
 */
export function freeBodyMemory(body: Buffer): void {
  if (body.length < MIN_BYTES) return;
  const { buffer } = body;
  if (!(buffer instanceof ArrayBuffer) || !lent.delete(buffer)) return;
  if (keptBytes + buffer.byteLength > MAX_KEPT_BYTES) return;
  const memory = buffer.transfer();
  keptBytes += memory.byteLength;
  kept[memory.byteLength / STEP_BYTES]?.push(memory);
}

/** Copies bytes, from `from` to `to`, that are overwritten afterwards. */
export function copyToMemory(bytes: Buffer, from: number, to: number): Buffer {
  const copy = bodyMemory(to - from);
  bytes.copy(copy, 0, from, to);
  return copy;
}

/** Joins the pieces of a body, whose memory is free afterwards. */
export function joinBody(pieces: readonly Buffer[]): Buffer {
  if (pieces.length === 1 && pieces[0]) return pieces[0];
  const whole = bodyMemory(byteLengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    at += piece.copy(whole, at);
    freeBodyMemory(piece);
  }
  return whole;
}

function takeKept(steps: number): ArrayBuffer {
  const memory = kept[steps]?.pop();
  if (memory === undefined) return Buffer.allocUnsafeSlow(steps * STEP_BYTES).buffer;
  keptBytes -= memory.byteLength;
  return memory;
}
