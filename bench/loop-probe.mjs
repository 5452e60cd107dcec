/**
 * Loaded into a program under measurement: on SIGUSR2 it says how long its event loop was blocked at
 * most since the last time, in milliseconds.
 */
const EVERY_MS = 1;
let lastMs = performance.now();
let longestMs = 0;

function tick() {
  const nowMs = performance.now();
  longestMs = Math.max(longestMs, nowMs - lastMs - EVERY_MS);
  lastMs = nowMs;
  setTimeout(tick, EVERY_MS).unref();
}

tick();
process.on('SIGUSR2', () => {
  process.stderr.write(`${JSON.stringify({ blockedMs: longestMs })}\n`);
  longestMs = 0;
});
