import { describe, it } from 'node:test';
import { openArena } from '../client/arena.ts';
import { TRANSPORTS } from '../transports.ts';
import type { ProcessCase } from './process-case.ts';

/** Registers a test for each case on each transport, side by side: they wait more than they work. */
export function registerCases(name: string, cases: readonly ProcessCase[], skip: boolean = false): void {
  describe(name, { skip, concurrency: 4 }, () => {
    for (const transport of TRANSPORTS) {
      for (const { row, fault, options, check } of cases) {
        it(`${row}: ${fault} (${transport})`, async () => {
          await using arena = await openArena({ transport, ...options });
          await check(arena);
        });
      }
    }
  });
}
