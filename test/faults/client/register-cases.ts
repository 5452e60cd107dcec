import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { TRANSPORTS } from '../transports.ts';
import { openArena } from './arena.ts';
import type { Arena, ArenaOptions, Lane } from './arena.ts';
import type { ClientCase } from './client-case.ts';

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
