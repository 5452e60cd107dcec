import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { TRANSPORTS } from '../transports.ts';
import { openArena } from './arena.ts';
import type { Arena, ArenaOptions, Lane } from './arena.ts';
import type { ClientCase } from './client-case.ts';

/** How cases are run, besides how the program is started. */
export type Registration = Omit<ArenaOptions, 'transport'> & {
  /** Cases that run side by side: those that wait for clocks may. One at a time unless told. */
  readonly concurrency?: number;
  /** Whether the transports are tried side by side. */
  readonly parallel?: boolean;
  readonly skip?: boolean;
};

/** Registers a test for each case on each transport, and where it matters for each upstream and mode. */
export function registerCases(name: string, cases: readonly ClientCase[], how: Registration = {}): void {
  const { concurrency = 1, parallel = false, skip = false, ...settings } = how;
  describe(name, { concurrency: parallel, skip }, () => {
    for (const transport of TRANSPORTS) {
      describe(`on ${transport}`, { concurrency }, () => {
        let arena: Arena;
        before(async () => {
          arena = await openArena({ transport, ...settings });
        });
        after(async () => {
          try {
            const alive = await fetch(`${arena.url}/health/liveliness`);
            assert.equal(alive.status, 200, 'the program has survived');
            assert.doesNotMatch(arena.program.stderr(), /unexpected error|outside its call|nobody caught/i);
          } finally {
            await arena[Symbol.asyncDispose]();
          }
        });
        for (const one of cases) registerCase(one, () => arena);
      });
    }
  });
}

function registerCase(one: ClientCase, arenaOf: () => Arena): void {
  const { row, fault, modes } = one;
  if (modes === undefined) {
    it(`${row}: ${fault}`, async () =>
      one.check({ arena: arenaOf(), lane: laneOf(arenaOf(), 0), mode: 'whole' }));
    return;
  }
  for (const mode of modes) {
    for (const [index, dialect] of ['openai', 'ollama'].entries()) {
      it(`${row}: ${fault}, ${mode}, ${dialect}`, async () =>
        one.check({ arena: arenaOf(), lane: laneOf(arenaOf(), index), mode }));
    }
  }
}

function laneOf(arena: Arena, index: number): Lane {
  const lane = arena.lanes[index];
  assert.ok(lane);
  return lane;
}
