import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import type { OllamaTag } from '../ollama/api/api-types.ts';
import { createOllamaClient } from '../ollama/api/client.ts';
import { indexFileOf, isReadableIndex } from '../rag/service/index-file.ts';
import { messageOf, systemCodeOf } from '../shared/errors.ts';
import { makeFolder } from '../store/make-folder.ts';
import { walkVault } from '../vault/walk.ts';
import type { Clocks, UpstreamClient } from '../wire/upstream.ts';
import type { MachinePorts } from './doctor-checks.ts';
import type { ListedModel, OllamaAddress, UpstreamPorts } from './doctor-upstreams.ts';
import { vaultProblem } from '../require-vaults.ts';
import { isAlive } from './running-server.ts';

const CLOCKS: Clocks = { connectMs: 3_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 10_000 };
const CONNECT_MS = 500;

/** Looks at this machine. */
export function createMachinePorts(client: UpstreamClient): MachinePorts {
  return {
    nodeVersion: process.version,
    nowMs: Date.now,
    writeProblem,
    freeBytes,
    listenProblem,
    isObelisk: (url) => isAlive(url, client),
    vaultProblem,
    countNotes: async (folder) => {
      const { notes, skipped } = await walkVault(folder);
      return { notes: notes.length, skipped: skipped.length };
    },
    indexOf: (dataDir, vault) => {
      const file = indexFileOf(dataDir, vault);
      if (!existsSync(file)) return Promise.resolve({ state: 'absent', bytes: 0 });
      const state = isReadableIndex(file) ? 'ready' : 'older';
      return Promise.resolve({ state, bytes: statSync(file).size });
    },
  };
}

/** Asks the upstreams. */
export function createUpstreamPorts(client: UpstreamClient): UpstreamPorts {
  const ollama = ({ url, apiKey }: OllamaAddress): ReturnType<typeof createOllamaClient> =>
    createOllamaClient({
      url,
      upstream: client,
      clocks: CLOCKS,
      ...(apiKey === undefined ? {} : { apiKey }),
    });
  return {
    nowMs: Date.now,
    ollamaVersion: (host) => ollama(host).version(),
    ollamaModels: async (host) => (await ollama(host).tags()).map(toListedModel),
    openAddresses,
    litellmModels: async ({ apiBase, apiKey }) => {
      const base = new URL(apiBase);
      const root = base.pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
      const response = await client.request({
        origin: base.origin,
        path: `${root}/v1/models`,
        method: 'GET',
        headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey.reveal()}` },
        clocks: CLOCKS,
      });
      await response.bytes(8 * 1024 * 1024);
      const dateMs = Date.parse(response.headers['date'] ?? '');
      return { status: response.status, ...(Number.isNaN(dateMs) ? {} : { dateMs }) };
    },
  };
}

function toListedModel({ name, remote_host: remoteHost, capabilities }: OllamaTag): ListedModel {
  return { name, capabilities: capabilities ?? [], ...(remoteHost ? { remoteHost } : {}) };
}

async function writeProblem(folder: string): Promise<string | undefined> {
  const probe = path.join(folder, `.doctor-${randomUUID()}`);
  try {
    makeFolder(folder, 0o700);
    await writeFile(probe, '');
    await rm(probe);
    return undefined;
  } catch (error) {
    return systemCodeOf(error) ?? messageOf(error);
  }
}

async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    // Some network file systems do not tell.
    if (systemCodeOf(error) !== undefined) return undefined;
    throw error;
  }
}

function listenProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => {
      resolve(systemCodeOf(error) ?? messageOf(error));
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

async function openAddresses(port: number): Promise<readonly string[]> {
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
    .map(({ address }) => address);
  const answers = await Promise.all(addresses.map((address) => answersAt(address, port)));
  return addresses.filter((_, index) => answers[index]);
}

function answersAt(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const settle = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => {
      settle(true);
    });
    for (const event of ['error', 'timeout']) {
      socket.once(event, () => {
        settle(false);
      });
    }
  });
}
