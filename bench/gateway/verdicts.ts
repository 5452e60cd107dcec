/** What was going on while something was measured; all as shares of one core unless said. */
export type Usage = {
  /** The measured program's own share of its core. */
  readonly programBusy: number;
  /** How busy the program's core was with anything. */
  readonly programCore: number;
  /** How busy the loader's core was with anything. */
  readonly loaderCore: number;
  /** Processor time of processes that have no part in the benchmark, in cores. */
  readonly foreign: number;
  /** Busy time of all cores less that of the benchmark's own processes, in cores, by the kernel's ticks. */
  readonly foreignTicks: number;
  /** Time that the hypervisor gave to others, in cores. */
  readonly steal: number;
};

/** Other programs may take this much of a core before a round is repeated. */
const FOREIGN_LIMIT = 0.03;
/** Ticks are samples: so many of them say more than chance. They also see what came and went meanwhile. */
const FOREIGN_TICKS_LIMIT = 0.08;
const STEAL_LIMIT = 0.02;

/**
 * Why a round does not count because something else ran on the machine, or `undefined`. Ticks count
 * only where cores are busy all the time: with timers of a millisecond they alias.
 */
export function foreignLoad(usage: Usage, saturating: boolean): string | undefined {
  if (usage.foreign > FOREIGN_LIMIT) return `other programs used ${share(usage.foreign)} of a core`;
  if (usage.steal > STEAL_LIMIT) return `the hypervisor took ${share(usage.steal)} of a core`;
  if (saturating && usage.foreignTicks > FOREIGN_TICKS_LIMIT)
    return `${share(usage.foreignTicks)} of a core went to nobody in the benchmark`;
  return undefined;
}

/** How noisy a round was, to keep the least noisy of several. */
export function noise(usage: Usage): number {
  return usage.foreign + usage.steal;
}

/** The measured program has to be what limits the throughput. */
const BUSY_ENOUGH = 0.95;

/**
 * Why a throughput does not count, or `undefined`: it says something about the measured program only
 * where that program's core was the busy one.
 */
export function voidReason(
  usage: Pick<Usage, 'programBusy' | 'programCore' | 'loaderCore'>,
): string | undefined {
  const { programBusy, programCore, loaderCore } = usage;
  if (programBusy < BUSY_ENOUGH)
    return `the program was ${share(programBusy)} busy (its core ${share(programCore)}, the loader's ${share(loaderCore)})`;
  return undefined;
}

/** The core of loader and mock must not be what a paced measurement waits for. */
const LOADER_LIMIT = 0.9;
/** Events that come late come together, and together they cost less each. */
const KEPT_UP = 0.95;

/**
 * Why a paced measurement does not count, or `undefined`.
 * @param keptUp Share of the events due that came.
 */
export function pacedReason(usage: Pick<Usage, 'loaderCore'>, keptUp: number): string | undefined {
  if (usage.loaderCore > LOADER_LIMIT) return `the loader's core was ${share(usage.loaderCore)} busy`;
  return keptUp < KEPT_UP ? `only ${share(keptUp)} of the events came in their time` : undefined;
}

function share(value: number): string {
  return `${(100 * value).toFixed(0)} %`;
}
