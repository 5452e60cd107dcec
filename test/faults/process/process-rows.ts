import type { FaultRow } from '../row.ts';
import { ENDINGS, LOADS } from './endings.ts';
import { VAULTS } from './vaults.ts';

/** What can happen to the process and its machine, in the order of the table. */
export const ROWS: readonly FaultRow[] = [...ENDINGS, ...VAULTS, ...LOADS].map(
  ({ row, side, fault, sees }) => ({
    row,
    side,
    fault,
    sees,
  }),
);
