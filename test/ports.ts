/** Ports of this machine that nobody listens on. */
import { connect } from 'node:net';

/**
 * Ports that the system gives nobody who asks for any: one that was just freed may be given to a
 * server of another test, which then hears what was meant for nobody.
 */
const UNGIVEN_PORTS = Array.from({ length: 200 }, (_, index) => 700 + index);

/** Ports below those that systems give, for whoever must be told where to listen. */
const FREE_PORTS = { first: 20_000, count: 10_000 };

let asked = 0;

/** The origin of a port on which nobody will ever listen; each call gives another one. */
export async function refusingOrigin(): Promise<string> {
  for (let tries = 0; tries < UNGIVEN_PORTS.length; tries += 1) {
    const port = UNGIVEN_PORTS[asked++ % UNGIVEN_PORTS.length] ?? 0;
    if (await isRefused(port)) return `http://127.0.0.1:${port}`;
  }
  throw new Error('every port that was tried has a listener');
}

/** A port that a server of this test may listen on, and that the system gives no other test meanwhile. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FREE_PORTS.first + Math.floor(Math.random() * FREE_PORTS.count);
    if (await isRefused(port)) return port;
  }
}

async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const heard = new Promise<boolean>((resolve) => {
    socket.on('connect', () => resolve(false)).on('error', () => resolve(true));
  });
  const refused = await heard;
  socket.destroy();
  return refused;
}
