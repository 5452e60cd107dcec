import { readFileSync } from 'node:fs';
import { coreTicks, everyRunMicros, familyOf } from './kernel-figures.ts';
import type { Cores } from './kernel-figures.ts';
import type { Usage } from './verdicts.ts';

/** Which processes have a part in a measurement, and on which cores. */
export type Parts = {
  readonly program: number;
  /** Mock, loader and other helpers that live through the measurement. */
  readonly helpers: readonly number[];
  readonly programCore: number;
  readonly loaderCore: number;
};

/** What a measurement found besides its own figures. */
export type Observation<T> = {
  readonly result: T;
  readonly usage: Usage;
  /** Processor time of the measured program, in microseconds. */
  readonly programMicros: number;
  readonly wallMicros: number;
};

type Sample = {
  readonly atMs: number;
  readonly micros: ReadonlyMap<number, number>;
  readonly cores: Cores;
  /** Time of this process's children that have ended (wrk), in microseconds. */
  readonly reaped: number;
};

/** The kernel counts the time of ended children in ticks of 10 ms, whatever its own clock does. */
const TICK_MICROS = 10_000;

/** The process that all threads of the kernel are children of. */
const KERNEL_THREADS = 2;

function sample(): Sample {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const reaped = (Number(fields[13]) + Number(fields[14])) * TICK_MICROS;
  return { atMs: performance.now(), micros: everyRunMicros(), cores: coreTicks(), reaped };
}

/** Runs `work` and tells what the machine did meanwhile. */
export async function observe<T>(parts: Parts, work: () => Promise<T>): Promise<Observation<T>> {
  const before = sample();
  const result = await work();
  const after = sample();
  const family = familyOf(parts.program);
  // Threads of the kernel work for whoever keeps it busy, which here is the benchmark: they deliver
  // its packets and write its log.
  const own = new Set([process.pid, ...family, ...familyOf(KERNEL_THREADS)]);
  for (const helper of parts.helpers) for (const pid of familyOf(helper)) own.add(pid);
  const used = (wanted: (pid: number) => boolean): number => {
    let sum = 0;
    for (const [pid, micros] of after.micros)
      if (wanted(pid)) sum += Math.max(0, micros - (before.micros.get(pid) ?? 0));
    return sum;
  };
  const wallMicros = (after.atMs - before.atMs) * 1_000;
  const programMicros = used((pid) => family.has(pid));
  const ours = used((pid) => own.has(pid)) + after.reaped - before.reaped;
  const [program, loader] = [parts.programCore, parts.loaderCore].map((core) => shares(before, after, core));
  const all = [...after.cores.keys()].map((core) => shares(before, after, core));
  const usage: Usage = {
    programBusy: programMicros / wallMicros,
    programCore: program?.busy ?? 0,
    loaderCore: loader?.busy ?? 0,
    foreign: used((pid) => !own.has(pid)) / wallMicros,
    foreignTicks: all.reduce((sum, core) => sum + core.busy, 0) - ours / wallMicros,
    steal: all.reduce((sum, core) => sum + core.steal, 0),
  };
  return { result, usage, programMicros, wallMicros };
}

function shares(
  before: Sample,
  after: Sample,
  core: number,
): { readonly busy: number; readonly steal: number } {
  const [first, last] = [before.cores.get(core), after.cores.get(core)];
  if (first === undefined || last === undefined) return { busy: 0, steal: 0 };
  const all = Math.max(1, last.all - first.all);
  return { busy: (last.busy - first.busy) / all, steal: (last.steal - first.steal) / all };
}

/** Waits until the machine does nothing for a moment, or `patienceMs` have gone by. */
export async function quiet(patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const { usage } = await observe(
      { program: process.pid, helpers: [], programCore: 0, loaderCore: 1 },
      () => new Promise((resolve) => setTimeout(resolve, 200)),
    );
    if (usage.foreign + usage.steal < 0.05 || performance.now() > deadline) return;
  }
}
