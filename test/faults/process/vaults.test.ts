import { after, before, describe, it } from 'node:test';
import { TRANSPORTS } from '../transports.ts';
import { openVaultArena, VAULTS } from './vaults.ts';
import type { VaultArena } from './vaults.ts';

// Named pipes, sparse files and names in both cases and normal forms are what a Linux file system has.
describe('a vault full of traps', { skip: process.platform !== 'linux', concurrency: true }, () => {
  for (const transport of TRANSPORTS) {
    describe(`on ${transport}`, { concurrency: 1 }, () => {
      let arena: VaultArena;
      before(async () => {
        arena = await openVaultArena(transport);
      });
      after(async () => {
        await arena[Symbol.asyncDispose]();
      });
      for (const { row, fault, check } of VAULTS) it(`${row}: ${fault}`, () => check(arena));
    });
  }
});
