/** Starts what stands behind the deployments of a case. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { TEST_KEY } from '../../certificates.ts';
import { refusingOrigin } from '../../ports.ts';
import { routes } from '../../upstream-scripts.ts';
import { startUpstream } from '../../upstream.ts';
import type { Script, TestUpstream } from '../../upstream.ts';
import type { Server } from './fault-case.ts';
import { DIALECTS } from './speech.ts';
import type { Dialect } from './speech.ts';

/** A server of a deployment. */
export type RunningServer = {
  /** What the deployment is configured with, without the dialect's path. */
  readonly origin: string;
  /** Chat requests that have arrived whole. */
  chats(): number;
  /** What every request carried, to look for keys where none may go. */
  connections(): number;
  /** Connections open now. */
  open(): number;
  close(): Promise<void>;
};

/** Starts the server of a deployment in a dialect. */
export async function startServer(server: Server, dialect: Dialect): Promise<RunningServer> {
  switch (server.kind) {
    case 'scripted':
      return fromUpstream(await startUpstream(scriptOf(server.chat, dialect, server.looks)), dialect);
    case 'plain behind https': {
      const upstream = await startUpstream([], { onConnection: refuseHandshake });
      const running = fromUpstream(upstream, dialect);
      return { ...running, origin: running.origin.replace('http:', 'https:') };
    }
    case 'tls':
      return startTls(server, dialect);
    case 'mute': {
      const upstream = await startUpstream([], { onConnection: (socket) => !socket.resume().readable });
      const running = fromUpstream(upstream, dialect);
      return { ...running, origin: running.origin.replace('http:', `${server.scheme}:`) };
    }
    case 'refusing':
      return nobody(await refusingOrigin());
    default:
      return nobody(server.origin);
  }
}

function scriptOf(chat: Script, dialect: Dialect, looks?: Script): Script {
  const { chatPath, others } = DIALECTS[dialect];
  const table = routes({
    ...Object.fromEntries(Object.entries(others).map(([path, script]) => [`POST ${path}`, looks ?? script])),
    [`POST ${chatPath}`]: chat,
  });
  let chats = 0;
  return (request, index) => {
    if (typeof table !== 'function') return table;
    // Scripts count chats, not what is asked about the model before them.
    return request.path === chatPath ? table(request, chats++) : table(request, index);
  };
}

function fromUpstream(upstream: TestUpstream, dialect: Dialect): RunningServer {
  const { chatPath } = DIALECTS[dialect];
  return {
    origin: upstream.origin,
    chats: () => upstream.requests.filter((request) => request.path === chatPath).length,
    connections: () => upstream.connections,
    open: () => upstream.open,
    close: () => upstream.close(),
  };
}

function nobody(origin: string): RunningServer {
  const none = (): number => 0;
  return { origin, chats: none, connections: none, open: none, close: () => Promise.resolve() };
}

/** Ends TLS in front of a scripted server. */
async function startTls(
  { certificate, host, chat }: Extract<Server, { kind: 'tls' }>,
  dialect: Dialect,
): Promise<RunningServer> {
  const behind = await startUpstream(scriptOf(chat, dialect));
  const sockets = new Set<Socket>();
  const front = createTlsServer({ key: TEST_KEY, cert: certificate }, (socket) => {
    const inner = connect(Number(new URL(behind.origin).port), '127.0.0.1');
    socket.pipe(inner).pipe(socket);
    // Whoever ends, both ends: what the gateway does with the connection is what is looked at.
    socket.on('error', () => inner.destroy()).on('close', () => inner.destroy());
    inner.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  });
  front.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  front.on('tlsClientError', (_error, socket) => socket.destroy());
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const { port } = front.address() as AddressInfo;
  return {
    ...fromUpstream(behind, dialect),
    origin: `https://${host}:${port}`,
    open: () => sockets.size,
    async close() {
      const closed = once(front, 'close');
      front.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      await behind.close();
    },
  };
}

/** As a server of plain HTTP takes a TLS handshake: as a bad request. */
function refuseHandshake(socket: Socket): boolean {
  socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'));
  return false;
}
