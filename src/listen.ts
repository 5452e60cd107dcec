import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { House } from './assemble.ts';
import { toErrorBody } from './providers/openai/error-body.ts';
import { isObeliskError, ObeliskError, systemCodeOf } from './shared/errors.ts';
import { SERVER_FILE } from './server-file.ts';
import { createNodeServer } from './wire/node-server.ts';

/** How long running requests may go on after the server was told to stop, in milliseconds. */
const GRACE_MS = 30_000;

/** A server that listens. */
export type Listening = { readonly url: string; close(): Promise<void> };

/**
 * Serves a house on its configured address and leaves word of it in the data directory.
 * @throws ObeliskError `address_in_use`.
 */
export async function listenOn(house: House): Promise<Listening> {
  const { settings, library, logger } = house;
  const server = createNodeServer({
    handler: house.handler,
    onError(error, _request, response) {
      // The handler answers its own errors; what arrives here is a defect in it.
      logger.error('a request failed outside its call', { error: String(error) });
      if (response.started) return;
      const answer = isObeliskError(error) ? error : new ObeliskError('internal', 'internal error');
      response.head(answer.status, { 'content-type': 'application/json; charset=utf-8' });
      response.end(toErrorBody(answer));
    },
  });
  const { port } = await server.listen({ host: settings.server.host, port: settings.server.port });
  const url = `http://${urlHost(settings.server.host)}:${port}`;
  house.address.url = url;
  const file = path.join(settings.dataDir, SERVER_FILE);
  const word = JSON.stringify({
    url,
    pid: process.pid,
    vaults: library.status().map((vault) => ({ name: vault.name, path: vault.path })),
  });
  await mkdir(settings.dataDir, { recursive: true });
  await writeFile(file, word, { mode: 0o600 });
  return {
    url,
    async close() {
      await server.close(GRACE_MS);
      await removeOwn(file, word);
    },
  };
}

/** Another server may have taken the directory over meanwhile; its word stays. */
async function removeOwn(file: string, word: string): Promise<void> {
  try {
    if ((await readFile(file, 'utf8')) === word) await rm(file);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  }
}

/** An address that listens everywhere is reached on this machine by loopback. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
