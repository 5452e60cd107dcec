import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * Keeps objects of requests out of the collector's old generation. V8 learns from a program's start,
 * when much of what is made stays, which objects to make in the old generation at once, and does not
 * unlearn it: each such object of a request then holds younger ones, which are moved there as well.
 * Serving the same requests took a tenth more time, in some starts and not in others.
 */
export function tuneCollector(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

/** Enough for objects of requests to die young; V8 would go on to twice that. */
const YOUNG_BYTES = 16 * 1024 * 1024;

/**
 * Creates a check, for calling now and then, that lets the collector's young generation grow no
 * further once it has 16 MiB: a burst of streams makes V8 double it, 8 KiB of memory for each of 2,000
 * streams, and serving is not slower without. V8 shrinks it in quiet times, and it may grow again.
 */
export function createYoungBound(): () => void {
  let bound = false;
  return () => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    const full = young !== undefined && young.space_size >= YOUNG_BYTES;
    if (full === bound) return;
    bound = full;
    setFlagsFromString(`--semi-space-growth-factor=${full ? 1 : 2}`);
  };
}
