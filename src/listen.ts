import { setTimeout as sleep } from 'node:timers/promises';
import type { House } from './assemble.ts';
import { isHotRoute } from './gateway/hot-routes.ts';
import { toErrorBody } from './providers/openai/error-body.ts';
import { createServerWord } from './server-word.ts';
import { isObeliskError, ObeliskError } from './shared/errors.ts';
import type { Logger } from './telemetry/log.ts';
import { createNodeServer } from './wire/node-server.ts';

/** How long clients may take to read that their answer ended early, in milliseconds. */
const LAST_WORDS_MS = 2_000;

/** Shortest time between two lines about connections that could not be taken, in milliseconds. */
const ACCEPT_LOG_MS = 10_000;

/** A server that listens. */
export type Listening = {
  readonly url: string;
  /** Leaves word of the vaults and the key as they are by now. */
  update(): void;
  /**
   * Takes nothing new from now on and lets what is under way end. What has not ended after `drainMs`
   * milliseconds, those of the configuration unless told, is told so: a stream by an error frame.
   */
  close(drainMs?: number): Promise<void>;
  /** Takes the word back that the server runs, for a process that ends at once. */
  forget(): void;
};

/**
 * Serves a house on its configured address and leaves word of it in the data directory.
 * @throws ObeliskError `address_in_use`.
 */
export async function listenOn(house: House): Promise<Listening> {
  const { settings } = house.serving();
  const { logger, address, door, load, jobs } = house.lasting;
  const { host, transport, timeouts } = settings.server;
  const server = createNodeServer({
    handler: house.handler,
    limits: timeouts,
    ...(transport === 'codec' ? { codecServes: isHotRoute } : {}),
    onAcceptError: createAcceptLog(logger),
    onError(error, _request, response) {
      // The handler answers its own errors; what arrives here is a defect in it.
      logger.error('a request failed outside its call', { error: String(error) });
      if (response.started) return;
      const answer = isObeliskError(error) ? error : new ObeliskError('internal', 'internal error');
      response.head(answer.status, { 'content-type': 'application/json; charset=utf-8' });
      response.end(toErrorBody(answer));
    },
  });
  const { port } = await server.listen({ host, port: settings.server.port });
  const url = `http://${urlHost(host)}:${port}`;
  address.url = url;
  const word = createServerWord(house, url);
  word.leave();
  load.start();
  jobs.resume();
  const drain = async (drainMs: number): Promise<void> => {
    const drained = new AbortController();
    const closed = server.close(drainMs + LAST_WORDS_MS).finally(() => drained.abort());
    const cut = sleep(drainMs, undefined, { signal: drained.signal }).then(
      () =>
        house.endCalls(
          new ObeliskError('overloaded', 'the server is stopping; ask again in a moment', {
            retryAfter: 2,
            ownWords: true,
          }),
        ),
      () => undefined,
    );
    await Promise.all([closed, cut]);
  };
  return {
    url,
    update: () => word.leave(),
    async close(drainMs = house.serving().settings.server.drainMs) {
      door.stop();
      // Whoever watches a job would watch it to its end otherwise.
      await Promise.all([jobs.close(), drain(drainMs)]);
      load.stop();
      word.takeBack();
    },
    forget: () => word.takeBack(),
  };
}

/** The system may report a connection that it cannot take again and again, thousands of times a second. */
function createAcceptLog(logger: Logger): (error: Error) => void {
  let nextMs = 0;
  return ({ message }) => {
    if (performance.now() < nextMs) return;
    nextMs = performance.now() + ACCEPT_LOG_MS;
    logger.error('a connection could not be taken', { reason: message });
  };
}

/** An address that listens everywhere is reached on this machine by loopback. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
