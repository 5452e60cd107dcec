import { freePort } from '../../test/ports.ts';
import type { Place, Program } from './processes.ts';
import { observe, quiet } from './observer.ts';
import type { Observation } from './observer.ts';
import type { Peer } from './peers.ts';
import type { ProxyUse } from './programs/nginx.ts';
import type { ResultFile, Round } from './results.ts';
import { foreignLoad, noise } from './verdicts.ts';
import type { Usage } from './verdicts.ts';

/** The program under test has a core to itself; the loader and the mock share the other. */
export const PROGRAM_CORE = 0;
/** Where the loader, the mock and this process run. */
export const LOADER_CORE = 1;

/** Name of the row in which loader and mock talk to each other without anything between them. */
export const DIRECT = 'direct';

/** What every scenario works with. */
export type Bench = {
  readonly peers: readonly Peer[];
  readonly results: ResultFile;
  readonly directory: string;
  readonly rounds: number;
  readonly seconds: number;
  /** How often a round is repeated while other programs disturb it. */
  readonly tries: number;
  /** How long a quiet moment is waited for before each try, in milliseconds. */
  readonly patienceMs: number;
};

/** Figures of one round, with what the machine did meanwhile. */
export type Measured = {
  readonly figures: Round['figures'];
  readonly usage: Usage;
  readonly void?: string | undefined;
};

/** A scenario: a name to choose it by, and the measuring. */
export type Scenario = {
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<void>;
};

/** How a scenario measures programs that run, or peers that it starts for each round. */
export type Plan<P extends { readonly name: string }> = {
  readonly scenario: string;
  readonly programs: readonly P[];
  /** Whether cores are meant to be busy all the time, so that ticks tell foreign load. */
  readonly saturating: boolean;
  measure(program: P): Promise<Measured>;
};

/** A place for a program on a core. */
export async function placeOn(core: number, bench: Pick<Bench, 'directory'>): Promise<Place> {
  return { core, port: await freePort(), directory: bench.directory };
}

/** Says something that is not a figure. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Starts all peers in front of an upstream, runs `work`, and stops them whatever happens. */
export async function withPeers(
  bench: Bench,
  mock: { readonly scenario: string; readonly origin: string; readonly use: ProxyUse },
  work: (programs: readonly Program[]) => Promise<void>,
): Promise<void> {
  const programs: Program[] = [];
  try {
    for (const peer of bench.peers) {
      try {
        const program = await peer.start(mock.origin, await placeOn(PROGRAM_CORE, bench), mock.use);
        programs.push({ ...program, name: peer.name });
      } catch (error) {
        recordFailure(bench, { scenario: mock.scenario, program: peer.name, round: 1 }, error);
      }
    }
    await work(programs);
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
  }
}

/** Warms programs up one after another and leaves out those that cannot do what is measured. */
export async function warmed(
  bench: Bench,
  plan: { readonly scenario: string; readonly programs: readonly Program[] },
  warm: (program: Program) => Promise<void>,
): Promise<readonly Program[]> {
  const ready: Program[] = [];
  for (const program of plan.programs) {
    try {
      await warm(program);
      ready.push(program);
    } catch (error) {
      recordFailure(bench, { scenario: plan.scenario, program: program.name, round: 1 }, error);
    }
  }
  return ready;
}

/** Measures what is observed while `work` runs, with the helpers on the loader's core. */
export function observing<T>(
  program: Program,
  helpers: readonly number[],
  work: () => Promise<T>,
): Promise<Observation<T>> {
  return observe({ program: program.pid, helpers, programCore: PROGRAM_CORE, loaderCore: LOADER_CORE }, work);
}

/** True when every round of these programs is in the results already. */
export function isComplete(bench: Bench, scenario: string, programs: readonly string[]): boolean {
  return programs.every((program) =>
    Array.from({ length: bench.rounds }, (_, index) => index + 1).every((round) =>
      bench.results.has({ scenario, program, round }),
    ),
  );
}

/** Keeps a failure with the figures: a program that could not do what was asked must not just be missing. */
function recordFailure(
  bench: Bench,
  key: Pick<Round, 'scenario' | 'program' | 'round'>,
  error: unknown,
): void {
  const [failed = 'failed'] = (error as Error).message.split(/\r?\n/);
  // A run that goes on keeps the rounds it has.
  if (!bench.results.has(key))
    bench.results.add({ ...key, at: new Date().toISOString(), tries: 1, failed, figures: {} });
  say(`  FAILED ${key.scenario}, ${key.program}: ${(error as Error).message}`);
  process.exitCode = 1;
}

/**
 * Measures all programs round by round, so that what the machine does over time meets all of them
 * alike. The order turns with each round. A round that other programs disturbed is repeated; the
 * least noisy is kept, with the reason beside it.
 */
export async function interleave<P extends { readonly name: string }>(
  bench: Bench,
  plan: Plan<P>,
): Promise<void> {
  const failed = new Set<string>();
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (let index = 0; index < plan.programs.length; index += 1) {
      const program = plan.programs[(index + round - 1) % plan.programs.length];
      if (program === undefined || failed.has(program.name)) continue;
      const key = { scenario: plan.scenario, program: program.name, round };
      if (bench.results.has(key)) continue;
      try {
        bench.results.add({ ...key, at: new Date().toISOString(), ...(await quietly(bench, plan, program)) });
        say(`  ${plan.scenario}, ${program.name}, round ${round} of ${bench.rounds}`);
      } catch (error) {
        failed.add(program.name);
        recordFailure(bench, key, error);
      }
    }
  }
}

async function quietly<P extends { readonly name: string }>(
  bench: Bench,
  plan: Plan<P>,
  program: P,
): Promise<Omit<Round, 'scenario' | 'program' | 'round' | 'at'>> {
  let best: { readonly measured: Measured; readonly reason: string | undefined } | undefined;
  let tries = 0;
  while (tries < bench.tries) {
    tries += 1;
    await quiet(bench.patienceMs);
    const measured = await plan.measure(program);
    const reason = foreignLoad(measured.usage, plan.saturating);
    if (best === undefined || reason === undefined || noise(measured.usage) < noise(best.measured.usage))
      best = { measured, reason };
    if (reason === undefined) break;
  }
  if (best === undefined) throw new Error('a round needs at least one try');
  const { measured, reason } = best;
  return {
    tries,
    figures: measured.figures,
    usage: measured.usage,
    ...(reason === undefined ? {} : { noisy: reason }),
    ...(measured.void === undefined ? {} : { void: measured.void }),
  };
}
