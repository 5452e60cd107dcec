import { Socket } from 'node:net';

/**
 * A connection in memory. What is sent on it is kept; what arrives is emitted as `data` by whoever holds
 * it, in the same turn and whether the connection is paused or not.
 */
export class Wire extends Socket {
  readonly sent: Buffer[] = [];
  /** What was read and given back, for another reader of the same connection. */
  readonly givenBack: Buffer[] = [];

  override _read(): void {
    // Nothing to start: whoever holds the wire emits what arrives.
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, callback: () => void): void {
    this.sent.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    callback();
  }

  override _writev(
    writes: { chunk: Buffer | string; encoding: BufferEncoding }[],
    callback: () => void,
  ): void {
    for (const { chunk, encoding } of writes) this._write(chunk, encoding, () => {});
    callback();
  }

  override _final(callback: () => void): void {
    callback();
  }

  override unshift(chunk: Buffer): void {
    this.givenBack.push(chunk);
  }
}
