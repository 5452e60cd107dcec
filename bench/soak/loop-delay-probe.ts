/**
 * Loaded into the measured program with `--import`: writes how late its event loop was, every ten
 * seconds, to the file that the environment names.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const file = process.env['OBELISK_SOAK_LOOP_DELAY'];
if (file !== undefined) {
  const RESOLUTION_MS = 10;
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  setInterval(() => {
    // The histogram holds the time between two looks, in nanoseconds: what is over the resolution is delay.
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    writeFileSync(file, JSON.stringify({ p99Ms: late(delay.percentile(99)), mostMs: late(delay.max) }));
  }, 10_000).unref();
}
