import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { FaultRow } from '../row.ts';
import { TRANSPORTS } from '../transports.ts';
import { openArena } from './arena.ts';
import type { Arena, ArenaOptions, Lane } from './arena.ts';

/** Whether the client asked for a stream or for one body. */
export type Mode = 'stream' | 'whole';

/** Where a case is tried. */
export type Trial = {
  readonly arena: Arena;
  readonly lane: Lane;
  readonly mode: Mode;
};

/** A fault with the check that the program does as the row says. */
export type ClientCase = FaultRow & {
  /** Modes that the fault exists in; absent: it strikes before either is known, so it is tried once and on one lane. */
  readonly modes?: readonly Mode[];
  check(trial: Trial): Promise<void>;
};

/** Both ways to ask. */
export const BOTH: readonly Mode[] = ['stream', 'whole'];

/** Registers a test for each case on each transport, and where it matters for each upstream and mode. */
export function registerCases(
  name: string,
  cases: readonly ClientCase[],
  options: Omit<ArenaOptions, 'transport'> & { readonly concurrency?: number; readonly skip?: boolean } = {},
): void {
  const { concurrency = 1, skip = false, ...settings } = options;
  for (const transport of TRANSPORTS) {
    describe(`${name}, on ${transport}`, { concurrency, skip }, () => {
      let arena: Arena;
      before(async () => {
        arena = await openArena({ transport, ...settings });
      });
      after(async () => {
        const alive = await fetch(`${arena.url}/health/liveliness`);
        const log = arena.program.stderr();
        await arena[Symbol.asyncDispose]();
        assert.equal(alive.status, 200, 'the program has survived');
        assert.doesNotMatch(log, /unexpected error|outside its call|unhandled/i);
      });
      for (const one of cases) registerCase(one, () => arena);
    });
  }
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
