/** Loaded into the program under test: on SIGUSR2 it fills the heap nearly up, on SIGWINCH it lets go. */
import { getHeapSpaceStatistics } from 'node:v8';

/** Of the 512 MiB that the program is started with. */
const FULL_BYTES = 0.93 * 512 * 2 ** 20;
/** Numbers of a piece: a megabyte. */
const NUMBERS = 131_072;
let held = [];

function oldBytes() {
  return getHeapSpaceStatistics()
    .filter((space) => !space.space_name.startsWith('new_'))
    .reduce((sum, space) => sum + space.space_used_size, 0);
}

function fill() {
  if (held === undefined || oldBytes() > FULL_BYTES) return;
  const numbers = [];
  numbers.length = NUMBERS;
  held.push(numbers.fill(0.5));
  setTimeout(fill, 1);
}

process.on('SIGUSR2', fill).on('SIGWINCH', () => {
  held = undefined;
});
