import { readdirSync, readFileSync } from 'node:fs';

/** Time of one core so far, in ticks of the kernel's clock. */
export type CoreTicks = { readonly busy: number; readonly steal: number; readonly all: number };

/** Every core's time so far, by its number. */
export type Cores = ReadonlyMap<number, CoreTicks>;

/**
 * Reads the core lines of `/proc/stat`. Interrupt time counts as busy: without the kernel's own
 * accounting of it, a task's `schedstat` contains it too, so that the two can be subtracted.
 */
export function parseCoreTicks(text: string): Cores {
  const cores = new Map<number, CoreTicks>();
  for (const line of text.split('\n')) {
    const core = /^cpu(\d+) (.*)$/.exec(line);
    if (core === null) continue;
    // user nice system idle iowait irq softirq steal; guest time is part of user time already.
    const ticks = (core[2] ?? '').trim().split(/\s+/).slice(0, 8).map(Number);
    const all = ticks.reduce((sum, value) => sum + value, 0);
    const steal = ticks[7] ?? 0;
    const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
    cores.set(Number(core[1]), { all, steal, busy: all - idle - steal });
  }
  return cores;
}

/** Reads the time a task has run, in microseconds, from its `schedstat`: nanoseconds, not ticks. */
export function parseRunMicros(text: string): number {
  const nanoseconds = /^(\d+) \d+ \d+\s*$/.exec(text)?.[1];
  if (nanoseconds === undefined)
    throw new Error(`not the text of a schedstat: ${JSON.stringify(text.slice(0, 80))}`);
  return Number(nanoseconds) / 1_000;
}

/** Reads the parent's number from `/proc/<pid>/stat`; the command in it may hold spaces and brackets. */
export function parseParent(text: string): number {
  return Number(
    text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .at(1),
  );
}

/** Reads the resident memory of a process, in KiB, from `/proc/<pid>/status`; 0 for a kernel thread. */
export function parseResidentKib(text: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0);
}

/** Reads a file that may be gone because its process has ended: then `undefined`. */
function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

function entriesIfThere(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return [];
    throw error;
  }
}

/** The numbers of all processes. */
function allProcesses(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** A process and all its descendants. */
export function familyOf(pid: number): ReadonlySet<number> {
  const children = new Map<number, number[]>();
  for (const process of allProcesses()) {
    const text = readIfThere(`/proc/${process}/stat`);
    if (text === undefined) continue;
    const parent = parseParent(text);
    children.set(parent, [...(children.get(parent) ?? []), process]);
  }
  const family = new Set([pid]);
  for (const member of family) for (const child of children.get(member) ?? []) family.add(child);
  return family;
}

/** Time that all threads of a process have run, in microseconds. */
export function runMicros(pid: number): number {
  let sum = 0;
  for (const task of entriesIfThere(`/proc/${pid}/task`)) {
    const text = readIfThere(`/proc/${pid}/task/${task}/schedstat`);
    if (text !== undefined) sum += parseRunMicros(text);
  }
  return sum;
}

/** The same of a process and all its descendants. */
export function familyMicros(pid: number): number {
  let sum = 0;
  for (const member of familyOf(pid)) sum += runMicros(member);
  return sum;
}

/** Time that every process has run, in microseconds, by its number. */
export function everyRunMicros(): ReadonlyMap<number, number> {
  return new Map(allProcesses().map((pid) => [pid, runMicros(pid)]));
}

/** Time of the cores so far. */
export function coreTicks(): Cores {
  return parseCoreTicks(readFileSync('/proc/stat', 'utf8'));
}

/** Resident memory of a process and its descendants, in KiB. */
export function residentKib(pid: number): number {
  let sum = 0;
  for (const member of familyOf(pid)) sum += parseResidentKib(readIfThere(`/proc/${member}/status`) ?? '');
  return sum;
}

/** How many file descriptors a process has open. */
export function openDescriptors(pid: number): number {
  return entriesIfThere(`/proc/${pid}/fd`).length;
}
