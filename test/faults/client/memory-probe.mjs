/**
 * Loaded into the program under test: on SIGUSR2 it collects garbage and says how much memory is held,
 * because resident memory alone does not tell what is kept from what is only not collected yet.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', () => {
  collect();
  // What the first collection has found dead frees its buffers only afterwards.
  setTimeout(() => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    process.stderr.write(`${JSON.stringify({ heldBytes: heapUsed + external })}\n`);
  }, 50);
});
