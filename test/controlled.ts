/** The whole program over scripted servers of Ollama, asked through its control plane. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ControlPlane } from '../src/ollama/control-plane.ts';
import { createObelisk } from '../src/obelisk.ts';
import type { Obelisk } from '../src/obelisk.ts';
import { startScriptedOllama } from './scripted-ollama.ts';
import type { ScriptedOllama, ScriptedOllamaOptions } from './scripted-ollama.ts';

/** A program and what it controls. */
export type Controlled = AsyncDisposable & {
  readonly control: ControlPlane;
  readonly obelisk: Obelisk;
  /** By the names that the configuration gives them: `a`, `b`… */
  readonly hosts: readonly ScriptedOllama[];
  /** Where its configuration and data lie. */
  readonly folder: string;
};

const NAMES = 'abcdefgh';

/** Starts a server for each of `servers` and the program over them; `more` goes into `providers.ollama`. */
export async function startControlled(
  servers: readonly ScriptedOllamaOptions[],
  more = '',
): Promise<Controlled> {
  const hosts = await Promise.all(servers.map((server) => startScriptedOllama(server)));
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-control-'));
  const list = hosts.map(({ url }, index) => `      - {name: ${NAMES.charAt(index)}, url: "${url}"}`);
  const config = path.join(folder, 'obelisk.yaml');
  writeFileSync(
    config,
    `vaults: []\nserver: {port: 0}\nproviders:\n  ollama:\n    hosts:\n${list.join('\n')}\n${more.replaceAll(/^(?=.)/gm, '    ')}`,
  );
  const obelisk = await createObelisk({ config, dataDir: path.join(folder, 'data'), environment: {} });
  const control = await obelisk.control();
  return {
    control,
    obelisk,
    hosts,
    folder,
    async [Symbol.asyncDispose]() {
      await obelisk.close();
      await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
