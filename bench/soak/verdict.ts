import { median, slope } from '../gateway/statistics.ts';

/** What the program held at one moment. */
export type Sample = { readonly atMs: number; readonly residentMib: number; readonly descriptors: number };

/** What came of the requests. */
export type Tally = {
  readonly answered: number;
  /** Requests that failed after a fault was injected into them. */
  readonly failedAsInjected: number;
  /** Requests that failed without one: each is a bug. */
  readonly failedOtherwise: number;
  /** Answers that were cut and looked whole: each is a bug. */
  readonly lied: number;
  /** Faults that the upstream made. */
  readonly injected: number;
  /** What the first of the failures that should not be said. */
  readonly example?: string;
};

/** Everything that a soak found. */
export type SoakResult = {
  readonly samples: readonly Sample[];
  readonly tally: Tally;
  readonly descriptorsBefore: number;
  readonly descriptorsAfter: number;
  readonly exited: boolean;
  readonly loopDelayP99Ms: number | undefined;
};

/** One line of the verdict; `passed` is absent where nothing is demanded. */
export type Verdict = {
  readonly name: string;
  readonly found: string;
  readonly demanded: string;
  readonly passed?: boolean;
};

/** Share of the time, at the start, in which a program is still getting warm. */
const WARM_UP = 0.2;
/** Share of the time, at either end of what is left, whose medians are compared. */
const WINDOW = 0.2;
const GROWTH_LIMIT = 0.05;
const GROWTH_AIM = 0.01;

/** Resident memory at the end against the start of the time after the warm-up: 0.05 is 5 % more. */
export function growthOf(samples: readonly Sample[]): {
  readonly growth: number;
  readonly mibPerHour: number;
} {
  const [first, last] = [samples[0]?.atMs ?? 0, samples.at(-1)?.atMs ?? 0];
  const warmMs = first + (last - first) * WARM_UP;
  const windowMs = (last - warmMs) * WINDOW;
  const within = (from: number, to: number): number =>
    median(samples.filter(({ atMs }) => atMs >= from && atMs <= to).map(({ residentMib }) => residentMib));
  const growth = within(last - windowMs, last) / within(warmMs, warmMs + windowMs) - 1;
  const points = samples
    .filter(({ atMs }) => atMs >= warmMs)
    .map(({ atMs, residentMib }) => [atMs / 3_600_000, residentMib] as const);
  return { growth, mibPerHour: slope(points) };
}

/** Judges a soak. */
export function verdictsOf(result: SoakResult): readonly Verdict[] {
  const { tally, descriptorsBefore, descriptorsAfter } = result;
  const { growth, mibPerHour } = growthOf(result.samples);
  const none = (name: string, count: number, example?: string): Verdict => ({
    name,
    found: `${count}${count > 0 && example !== undefined ? ` (${example})` : ''}`,
    demanded: '0',
    passed: count === 0,
  });
  return [
    {
      name: 'growth of resident memory',
      found: `${(100 * growth).toFixed(1)} % (${mibPerHour.toFixed(1)} MiB an hour)`,
      demanded: `${100 * GROWTH_LIMIT} %, aim ${100 * GROWTH_AIM} %`,
      passed: growth <= GROWTH_LIMIT,
    },
    {
      name: 'file descriptors before and after',
      found: `${descriptorsBefore}, ${descriptorsAfter}`,
      demanded: 'no more after',
      passed: descriptorsAfter <= descriptorsBefore,
    },
    none('failures that were not injected', tally.failedOtherwise, tally.example),
    none('cut answers that looked whole', tally.lied, tally.example),
    none('ends of the process', result.exited ? 1 : 0),
    {
      name: 'requests answered',
      found: `${tally.answered}, ${tally.failedAsInjected} failed of ${tally.injected} faults`,
      demanded: 'more than none',
      passed: tally.answered > 0,
    },
    {
      name: 'delay of the event loop, p99',
      found: result.loopDelayP99Ms === undefined ? 'not seen' : `${result.loopDelayP99Ms.toFixed(1)} ms`,
      demanded: '–',
    },
  ];
}
