import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MASTER_KEY, MODEL } from '../bodies.ts';
import { freePort } from '../../../test/ports.ts';
import { startProgram } from '../processes.ts';
import type { Place, Program } from '../processes.ts';

const ADMIN_TOKEN = 'bench-admin-token-0123456789';
const MINT_MS = 20_000;

/**
 * Busbar with one worker thread and governance on: every request has to carry a key that was minted
 * over its administration interface. Its configuration is that of 1.5, read from its documents.
 */
export async function startBusbar(program: string, upstream: string, place: Place): Promise<Program> {
  const adminPort = await freePort();
  const [configuration, providers] = ['busbar.yaml', 'busbar-providers.yaml'].map((name) =>
    join(place.directory, name),
  );
  writeFileSync(
    configuration ?? '',
    JSON.stringify({
      listen: `127.0.0.1:${place.port}`,
      admin_listen: `127.0.0.1:${adminPort}`,
      auth: { chain: ['tokens'], upstream_credentials: 'own', client_tokens: [MASTER_KEY] },
      governance: { admin_token: ADMIN_TOKEN },
      providers: { mock: { api_key_env: 'BENCH_UPSTREAM_KEY' } },
      models: { [MODEL]: { provider: 'mock', max_concurrent: 8_000, max_requests: -1 } },
      pools: { bench: { members: [{ target: MODEL }] } },
    }),
  );
  writeFileSync(
    providers ?? '',
    JSON.stringify({ mock: { protocol: 'openai', base_url: upstream, error_map: {} } }),
  );
  const environment = {
    BUSBAR_CONFIG: configuration,
    BUSBAR_PROVIDERS: providers,
    BUSBAR_WORKER_THREADS: '1',
    // Nothing that an earlier run learnt is carried over.
    BUSBAR_STATE_FILE: '',
    BENCH_UPSTREAM_KEY: 'sk-upstream',
  };
  const started = await startProgram('busbar', { command: [program], environment }, place);
  try {
    return { ...started, headers: { authorization: `Bearer ${await mintKey(adminPort)}` } };
  } catch (error) {
    await started.stop();
    throw error;
  }
}

async function mintKey(adminPort: number): Promise<string> {
  const deadline = performance.now() + MINT_MS;
  let last = 'no answer';
  while (performance.now() < deadline) {
    try {
      const response = await fetch(`http://127.0.0.1:${adminPort}/api/v1/admin/keys`, {
        method: 'POST',
        headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'bench' }),
      });
      last = await response.text();
      const secret = /"secret"\s*:\s*"([^"]+)"/.exec(last)?.[1];
      if (secret !== undefined) return secret;
    } catch (error) {
      last = String(error);
    }
    await sleep(200);
  }
  throw new Error(`busbar gave no key: ${last.slice(0, 300)}`);
}
