import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { House } from './assemble.ts';
import { isHotRoute } from './gateway/hot-routes.ts';
import { toErrorBody } from './providers/openai/error-body.ts';
import { isObeliskError, ObeliskError, systemCodeOf } from './shared/errors.ts';
import { SERVER_FILE, TOKEN_FILE } from './server-file.ts';
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
  const { settings, logger } = house;
  const server = createNodeServer({
    handler: house.handler,
    ...(settings.server.transport === 'codec' ? { codecServes: isHotRoute } : {}),
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
  const files = await leaveWord(house, url);
  return {
    url,
    async close() {
      await server.close(GRACE_MS);
      for (const [file, text] of files) await removeOwn(file, text);
    },
  };
}

/** Tells the command line of this machine where the server is, and how to open it. */
async function leaveWord(house: House, url: string): Promise<ReadonlyMap<string, string>> {
  const { settings, library, localToken } = house;
  const files = new Map<string, string>();
  if (localToken !== undefined) files.set(path.join(settings.dataDir, TOKEN_FILE), localToken.reveal());
  const word = {
    url,
    pid: process.pid,
    vaults: library.status().map((vault) => ({ name: vault.name, path: vault.path })),
    ...(localToken === undefined ? {} : { tokenFile: TOKEN_FILE }),
  };
  files.set(path.join(settings.dataDir, SERVER_FILE), JSON.stringify(word));
  await mkdir(settings.dataDir, { recursive: true });
  for (const [file, text] of files) {
    // A file that was there keeps its mode when it is written to.
    await rm(file, { force: true });
    await writeFile(file, text, { mode: 0o600 });
  }
  return files;
}

/** Another server may have taken the directory over meanwhile; its word stays. */
async function removeOwn(file: string, text: string): Promise<void> {
  try {
    if ((await readFile(file, 'utf8')) === text) await rm(file);
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
