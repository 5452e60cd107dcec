import { connect as connectTcp, isIP } from 'node:net';
import type { LookupFunction, OnReadOpts, Socket, TcpNetConnectOpts } from 'node:net';
import type { SecureContext } from 'node:tls';

/** Interval of TCP keep-alive probes, in milliseconds. */
const PROBE_MS = 60_000;

/** What every connection of one client has in common. */
export type EndpointOptions = {
  readonly lookup: LookupFunction;
  /** PEM certificates to trust instead of the system's. */
  readonly certificates?: string;
};

/** Where the connections to one origin go, and how they are opened. */
export class Endpoint {
  /** Host and, where it is not the scheme's own, port: the value of the host field. */
  readonly authority: string;
  readonly #secure: boolean;
  readonly #host: string;
  readonly #port: number;
  readonly #options: EndpointOptions;
  #context: SecureContext | undefined;
  #session: Buffer | undefined;

  /** @throws TypeError where `origin` is no URL of http or https. */
  constructor(origin: string, options: EndpointOptions) {
    const url = new URL(origin);
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new TypeError(`invalid origin ${origin}`);
    this.authority = url.host;
    this.#secure = url.protocol === 'https:';
    this.#host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    this.#port = url.port === '' ? (this.#secure ? 443 : 80) : Number(url.port);
    this.#options = options;
  }

  /**
   * Opens a socket.
   *
   * @param onConnected Called when a request can be written to it.
   * @param onread Where bytes are read to; without it they are the socket's `data` events.
   */
  open(onConnected: () => void, onread?: OnReadOpts): Socket {
    const target: TcpNetConnectOpts = {
      host: this.#host,
      port: this.#port,
      lookup: this.#options.lookup,
      ...(onread === undefined ? {} : { onread }),
    };
    const socket = this.#secure ? this.#openTls(target, onConnected) : connectTcp(target, onConnected);
    return socket.setNoDelay(true).setKeepAlive(true, PROBE_MS);
  }

  #openTls(target: TcpNetConnectOpts, onConnected: () => void): Socket {
    const tls = process.getBuiltinModule('node:tls');
    const { certificates } = this.#options;
    this.#context ??= tls.createSecureContext(certificates === undefined ? {} : { ca: certificates });
    const options = {
      ...target,
      secureContext: this.#context,
      ALPNProtocols: ['http/1.1'],
      // Servers of many names choose the certificate by it; an address is not a name (RFC 6066 section 3).
      ...(isIP(this.#host) === 0 ? { servername: this.#host } : {}),
      ...(this.#session === undefined ? {} : { session: this.#session }),
    };
    return tls.connect(options, onConnected).on('session', (session: Buffer) => {
      this.#session = session;
    });
  }
}
