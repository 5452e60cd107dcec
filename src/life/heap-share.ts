import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';

const MEBIBYTE = 1024 * 1024;

/** Of a default limit V8 keeps 192 of 4,288 MiB for the young generation (measured, Node 24). */
const OLD_PART = 4_096 / 4_288;

/**
 * Bytes that the old generation may hold. It is what a process dies of, and less than
 * `heap_size_limit`, which has the young generation in it: with a limit of 1 GiB and below, that is
 * never reached.
 */
export function oldGenerationLimit(flags: readonly string[], heapSizeLimit: number): number {
  const given = flags
    .map((flag) => /^--max[-_]old[-_]space[-_]size=(\d+)$/.exec(flag)?.[1])
    .findLast((size) => size !== undefined);
  return given === undefined ? heapSizeLimit * OLD_PART : Number(given) * MEBIBYTE;
}

/** Flags that this process was started with, from the environment first. */
export function processFlags(): readonly string[] {
  return [...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/), ...process.execArgv];
}

/**
 * Creates the reading of the share of the old generation's limit that is in use. It costs 2 µs while
 * that is little, which is nearly always.
 */
export function createHeapShare(limitBytes: number): () => number {
  return () => {
    const used = getHeapStatistics().used_heap_size;
    if (used < limitBytes / 2) return used / limitBytes;
    const young = getHeapSpaceStatistics()
      .filter((space) => space.space_name.startsWith('new_'))
      .reduce((sum, space) => sum + space.space_used_size, 0);
    return (used - young) / limitBytes;
  };
}
