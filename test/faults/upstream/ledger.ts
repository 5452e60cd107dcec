/** What log and metrics say of all requests, beside what was sent. */
import type { Expected } from './fault-case.ts';
import type { Stage } from './stage.ts';

/** Ends of requests, by model and outcome, as `model outcome`. */
type Tally = ReadonlyMap<string, number>;

/** Three accounts of the same requests. */
export type Ledger = {
  readonly expected: Tally;
  readonly logged: Tally;
  readonly counted: Tally;
  /** Requests that the program says it is serving. */
  readonly inFlight: number;
  /** The same of every deployment, summed. */
  readonly deploymentsInFlight: number;
};

/** Reads the log and the metrics of a program. */
export async function readLedger(stage: Stage): Promise<Ledger> {
  const metrics = await stage.metrics();
  return {
    expected: tally(
      stage.scenes.flatMap(({ model, fault, at }) =>
        fault.expect(at).map((one) => `${model} ${outcomeOf(one)}`),
      ),
    ),
    logged: tally(
      stage.program
        .stderr()
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line): Readonly<Record<string, unknown>> => JSON.parse(line))
        .filter((line) => line['message'] === 'request' && line['model'] !== undefined)
        .map((line) => `${String(line['model'])} ${String(line['outcome'])}`),
    ),
    counted: countsOf(metrics),
    inFlight: Number(/^obelisk_in_flight_requests (\d+)$/m.exec(metrics)?.[1]),
    deploymentsInFlight: [...metrics.matchAll(/^obelisk_deployment_in_flight\{.*\} (\d+)$/gm)].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    ),
  };
}

function outcomeOf(expected: Expected): string {
  if (expected.sees === 'answer') return 'ok';
  return `error:${expected.loggedAs ?? expected.code}`;
}

function countsOf(metrics: string): Tally {
  const counts = new Map<string, number>();
  for (const [, labels = '', value] of metrics.matchAll(/^obelisk_requests_total\{(.*)\} (\d+)$/gm)) {
    const model = /model="([^"]+)"/.exec(labels)?.[1];
    const outcome = /outcome="([^"]+)"/.exec(labels)?.[1];
    if (model !== undefined) counts.set(`${model} ${outcome}`, Number(value));
  }
  return sorted(counts);
}

function tally(keys: readonly string[]): Tally {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return sorted(counts);
}

function sorted(counts: ReadonlyMap<string, number>): Tally {
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
