import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Settings } from '../config/settings.ts';
import type { Environment } from '../config/substitute.ts';
import { isObeliskError, systemCodeOf } from '../shared/errors.ts';
import { isLoopbackUrl } from '../shared/local-host.ts';
import { SERVER_FILE } from '../server-file.ts';
import { parseJson } from '../shared/parse-json.ts';
import { Secret } from '../shared/secret.ts';
import type { Clocks, UpstreamClient } from '../wire/upstream.ts';

const serverFile = z.object({
  url: z.string(),
  pid: z.number(),
  tokenFile: z.string().optional(),
  vaults: z.array(z.object({ name: z.string(), path: z.string() })).optional(),
});

/** A server on the same data directory, and what opens it. */
export type RunningServer = {
  readonly url: string;
  readonly pid: number;
  readonly key?: Secret;
  /** Opens the management too. */
  readonly ownerKey?: Secret;
  /** Its vaults with their folders, which HTTP does not tell. */
  readonly vaults: readonly { readonly name: string; readonly path: string }[];
};

const PROBE_CLOCKS: Clocks = { connectMs: 500, firstByteMs: 1500, idleMs: 1500, totalMs: 2000 };

/**
 * Finds the server that runs on the same data directory. A file that a killed server left behind
 * counts for nothing: the server must answer. The address must be this machine's, because the key
 * is sent there.
 */
export async function findRunningServer(
  settings: Settings,
  from: { readonly environment: Environment; readonly client: UpstreamClient },
): Promise<RunningServer | undefined> {
  const text = await readIfThere(path.join(settings.dataDir, SERVER_FILE));
  const parsed = serverFile.safeParse(parseJson(text ?? ''));
  if (!parsed.success || !isOwnUrl(parsed.data.url)) return undefined;
  const { url, pid, tokenFile, vaults = [] } = parsed.data;
  if (!(await isAlive(url, from.client))) return undefined;
  const token = await readToken(settings, tokenFile);
  const own = from.environment['OBELISK_API_KEY'];
  const key = own ? new Secret(own) : (settings.masterKey ?? token);
  const ownerKey = token ?? settings.masterKey ?? key;
  return {
    url: url.replace(/\/+$/, ''),
    pid,
    vaults,
    ...(key === undefined ? {} : { key }),
    ...(ownerKey === undefined ? {} : { ownerKey }),
  };
}

/** Whether a URL names this machine: loopback, or an address of one of its networks. */
function isOwnUrl(url: string): boolean {
  const host = URL.parse(url)?.hostname.replace(/^\[(.*)\]$/, '$1');
  const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return isLoopbackUrl(url) || own.some(({ address }) => address === host);
}

/** Whether an Obelisk (or a LiteLLM proxy) answers at a URL. */
export async function isAlive(url: string, client: UpstreamClient): Promise<boolean> {
  try {
    const response = await client.request({
      origin: new URL(url).origin,
      path: '/health/liveliness',
      method: 'GET',
      headers: {},
      clocks: PROBE_CLOCKS,
    });
    await response.bytes(64 * 1024);
    return response.status === 200;
  } catch (error) {
    if (isObeliskError(error)) return false;
    throw error;
  }
}

async function readToken(settings: Settings, tokenFile: string | undefined): Promise<Secret | undefined> {
  if (tokenFile === undefined) return undefined;
  const text = (await readIfThere(path.resolve(settings.dataDir, tokenFile)))?.trim();
  return text ? new Secret(text) : undefined;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    // No file, or one of another user: then there is no server for this one.
    if (systemCodeOf(error) !== undefined) return undefined;
    throw error;
  }
}
