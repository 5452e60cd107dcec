/** Obelisk before several scripted Ollamas, over real sockets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

import type { ControlPlane } from '../src/ollama/control-plane.ts';
import { createObelisk } from '../src/obelisk.ts';
import type { Obelisk } from '../src/obelisk.ts';
import { startScriptedOllama } from './scripted-ollama.ts';
import type { ScriptedOllama, ScriptedOllamaOptions } from './scripted-ollama.ts';

/** What is wanted. */
export type FleetWanted = {
  /** One for each host, called `a`, `b`, `c`… */
  readonly hosts: readonly ScriptedOllamaOptions[];
  /** Lines of `providers.ollama`, two spaces deeper than it. */
  readonly ollama?: string;
  /** More of a host's own entry, by its name. */
  readonly ofHost?: Readonly<Record<string, string>>;
  /** Further sections of the file. */
  readonly more?: string;
};

/** One answer of the gateway. */
export type FleetAnswer = {
  readonly status: number;
  /** Name of the host that answered. */
  readonly host: string;
  readonly text: string;
};

/** What runs. */
export type FleetHouse = {
  readonly obelisk: Obelisk;
  readonly control: ControlPlane;
  /** Where its configuration and data lie. */
  readonly folder: string;
  readonly url: string;
  readonly servers: readonly ScriptedOllama[];
  /** Loads of all servers so far. */
  loads(): number;
  ask(model: string, more?: Readonly<Record<string, unknown>>): Promise<FleetAnswer>;
  /** Puts other lines of `providers.ollama` in force. */
  reload(ollama: string): Promise<void>;
  log(): string;
};

/** Starts the servers and Obelisk, which has looked at each of them once. */
export async function openFleet(context: TestContext, wanted: FleetWanted): Promise<FleetHouse> {
  const servers = await Promise.all(wanted.hosts.map((host) => startScriptedOllama(host)));
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-fleet-'));
  const config = path.join(folder, 'obelisk.yaml');
  const write = (ollama: string): void => writeFileSync(config, fileOf(servers, { ...wanted, ollama }));
  write(wanted.ollama ?? '');
  let log = '';
  const obelisk = await createObelisk({
    config,
    dataDir: path.join(folder, 'data'),
    environment: {},
    log: { write: (more) => (log += more) },
  });
  const listening = await obelisk.listen();
  const { url } = listening;
  context.after(async () => {
    await listening.close();
    await obelisk.close();
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    rmSync(folder, { recursive: true, force: true });
  });
  const control = await obelisk.control();
  return {
    obelisk,
    control,
    folder,
    url,
    servers,
    loads: () => servers.reduce((sum, server) => sum + server.loads.length, 0),
    ask: (model, more) => askAt(url, model, more),
    async reload(ollama) {
      write(ollama);
      await obelisk.reload();
    },
    log: () => log,
  };
}

async function askAt(
  url: string,
  model: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<FleetAnswer> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], ...more }),
  });
  const text = await response.text();
  const id = response.headers.get('x-obelisk-deployment') ?? '';
  return { status: response.status, host: /^ollama\/([^/]+)\//.exec(id)?.[1] ?? id, text };
}

function fileOf(servers: readonly ScriptedOllama[], { ollama, ofHost, more = '' }: FleetWanted): string {
  const hosts = servers.map((server, index) => {
    const name = String.fromCodePoint(97 + index);
    return `      - {name: ${name}, url: "${server.url}"${ofHost?.[name] === undefined ? '' : `, ${ofHost[name]}`}}`;
  });
  return [
    'server: {port: 0}',
    'vaults: []',
    'log: {format: text}',
    'providers:',
    '  ollama:',
    '    poll_seconds: 1',
    '    hosts:',
    ...hosts,
    (ollama ?? '').replaceAll(/^(?=.)/gm, '    '),
    more,
  ].join('\n');
}
