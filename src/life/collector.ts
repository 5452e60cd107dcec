import { setFlagsFromString } from 'node:v8';

/**
 * Keeps objects of requests out of the collector's old generation. V8 learns from a program's start,
 * when much of what is made stays, which objects to make in the old generation at once, and does not
 * unlearn it: each such object of a request then holds younger ones, which are moved there as well.
 * Serving the same requests took a tenth more time, in some starts and not in others.
 */
export function tuneCollector(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
