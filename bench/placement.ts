/**
 * `npm run bench -- placement URL URL URL`: how often models are loaded by real Ollamas under each
 * placement, for the same requests. Makes tiny models in the servers, and removes them again. Start
 * each server with OLLAMA_MAX_LOADED_MODELS=1 (or 2), or there is nothing to choose.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createObelisk } from '../src/obelisk.ts';
import { makeTinyChatModels, removeModels } from '../test/ollama-models.ts';

const PLACEMENTS = ['round-robin', 'least-busy', 'warm-first'];
const REQUESTS = 36;
/** Threads of several servers on one machine spin for the same cores: answers then take a hundred times as long. */
const THREADS = 1;
/** What Ollama says that it took to find a model loaded: at most this. */
const WARM_MS = 20;

/** An order of models, and how many requests are under way at once. */
type Workload = { readonly name: string; readonly atOnce: number; readonly models: readonly string[] };

const urls = process.argv.slice(2);
if (urls.length < 2) {
  process.stderr.write('name at least two servers: npm run bench -- placement URL URL URL\n');
  process.exit(2);
}
const names = Array.from({ length: urls.length + 1 }, (_, index) => `obelisk-placement-${index}:latest`);
for (const url of urls) await makeTinyChatModels(url, names);
try {
  for (const workload of workloads()) {
    process.stdout.write(
      `\n${workload.name}: ${workload.models.length} requests, ${workload.atOnce} at once\n`,
    );
    for (const placement of PLACEMENTS) await measure(workload, placement);
  }
} finally {
  for (const url of urls) await removeModels(url, names);
}

function workloads(): readonly Workload[] {
  const fitting = names.slice(0, urls.length);
  const inTurn = (models: readonly string[]): readonly string[] =>
    Array.from({ length: REQUESTS }, (_, index) => models[index % models.length] ?? '');
  return [
    { name: `${fitting.length} models in turn`, atOnce: 1, models: inTurn(fitting) },
    { name: `${fitting.length} models at random`, atOnce: 3, models: atRandom(fitting) },
    { name: `${names.length} models in turn, one too many`, atOnce: 1, models: inTurn(names) },
    {
      name: `${names.length} models at random, the first the most wanted`,
      atOnce: 3,
      models: atRandom(names),
    },
  ];
}

/** The first half of the time, the second half of the rest, and so on; the same in every run. */
function atRandom(models: readonly string[]): readonly string[] {
  let seed = 7;
  return Array.from({ length: REQUESTS }, () => {
    seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
    const index = Math.floor(-Math.log2(Math.max(seed / 2 ** 32, 1e-9)));
    return models[Math.min(index, models.length - 1)] ?? '';
  });
}

async function measure(workload: Workload, placement: string): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-placement-'));
  const config = path.join(folder, 'obelisk.yaml');
  const hosts = urls.map((url, index) => `      - {name: h${index}, url: "${url}"}\n`).join('');
  const ollama = `providers:\n  ollama:\n    hardware: {num_thread: ${THREADS}}\n    poll_seconds: 1\n    placement: ${placement}\n    hosts:\n${hosts}`;
  writeFileSync(config, `server: {port: 0}\nvaults: []\n${ollama}`);
  const obelisk = await createObelisk({ config, dataDir: path.join(folder, 'data'), environment: {} });
  const listening = await obelisk.listen();
  try {
    await obelisk.models();
    const control = await obelisk.control();
    for (const name of names) await control.unload(name);
    // How many models a host keeps is learned from what goes there: that is not measured.
    await askAll(listening.url, { ...workload, models: workload.models.slice(0, REQUESTS / 2) });
    const startedMs = performance.now();
    const loadMs = await askAll(listening.url, workload);
    const tookMs = performance.now() - startedMs;
    const loads = loadMs.filter((ms) => ms > WARM_MS);
    const sum = loads.reduce((total, ms) => total + ms, 0);
    process.stdout.write(
      `  ${placement.padEnd(12)} ${String(loads.length).padStart(3)} loads of ${Math.round(sum)} ms together; ${Math.round(tookMs)} ms in all\n`,
    );
  } finally {
    await listening.close();
    await obelisk.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The load times that Ollama told, one for each request. */
async function askAll(url: string, { models, atOnce }: Workload): Promise<readonly number[]> {
  const told: number[] = [];
  const queue = models.values();
  const worker = async (): Promise<void> => {
    for (const model of queue) told.push(await ask(url, model));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return told;
}

/** Asks as clients of Ollama do, whose answers tell the load in nanoseconds. */
async function ask(url: string, model: string): Promise<number> {
  const response = await fetch(`${url}/api/chat`, {
    method: 'POST',
    body: JSON.stringify({
      model,
      stream: false,
      options: { num_predict: 8 },
      messages: [{ role: 'user', content: 'hi' }],
    }),
  });
  const body: unknown = await response.json();
  if (response.status !== 200 || typeof body !== 'object' || body === null) {
    throw new Error(`${model}: ${response.status} ${JSON.stringify(body)}`);
  }
  return 'load_duration' in body ? Number(body.load_duration) / 1e6 : 0;
}
