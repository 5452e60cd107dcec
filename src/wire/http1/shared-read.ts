import { Socket } from 'node:net';
import type { SocketConstructorOpts } from 'node:net';

/** How much is read at once, in bytes: a body of 64 KiB with its head. */
const READ_BYTES = 128 * 1024;

/** Makes a buffer that connections share: every byte is dealt with before the next read of any of them. */
export function createReadBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(READ_BYTES);
}

/** Releases of Node whose insides are known to allow it. */
const TRIED: ReadonlySet<string> = new Set(['24']);

/**
 * Has an accepted connection read into `buffer`, which others share, and tells `onRead` how many bytes
 * came; without that every read makes a buffer of 64 KiB of its own. Node offers it for connections
 * that it opens (`onread`) but not for those that it accepts, so that a new socket takes over the
 * handle of the old one, with its place among the connections of its server.
 *
 * @returns The socket to use from now on; undefined where that is not possible, and nothing has changed.
 */
export function readInto(
  accepted: Socket,
  buffer: Buffer,
  onRead: (length: number) => void,
): Socket | undefined {
  const handle: unknown = Reflect.get(accepted, '_handle');
  const [release = ''] = process.versions.node.split('.');
  if (typeof handle !== 'object' || handle === null || !TRIED.has(release)) return undefined;
  const options: SocketConstructorOpts = {
    allowHalfOpen: accepted.allowHalfOpen,
    onread: {
      buffer,
      callback: (length) => {
        onRead(length);
        return true;
      },
    },
  };
  // Known to Node, not to its types.
  Reflect.set(options, 'handle', handle);
  const socket = new Socket(options);
  for (const name of ['server', '_server']) {
    Reflect.set(socket, name, Reflect.get(accepted, name));
    Reflect.set(accepted, name, null);
  }
  Reflect.set(accepted, '_handle', null);
  return socket;
}
