import type { FaultDetail, FaultRow } from '../row.ts';
import { BODY_ROWS } from './bodies.ts';
import { CONNECTION_ROWS } from './connection.ts';
import { ENDING_ROWS } from './endings.ts';
import { inWords } from './fault-case.ts';
import type { FaultCase, UpstreamRow } from './fault-case.ts';
import { FRAMING_ROWS } from './framing.ts';
import { SETTINGS } from './speech.ts';
import { STATUS_ROWS } from './statuses.ts';
import { STREAM_ROWS } from './streams.ts';

/** Every fault of an upstream, to be run. */
export const UPSTREAM_ROWS: readonly UpstreamRow[] = [
  ...CONNECTION_ROWS,
  ...ENDING_ROWS,
  ...FRAMING_ROWS,
  ...BODY_ROWS,
  ...STATUS_ROWS,
  ...STREAM_ROWS,
].sort((a, b) => a.row - b.row);

/** Every fault of an upstream, for the documentation. */
export const ROWS: readonly FaultRow[] = UPSTREAM_ROWS.map(({ row, fault, sees, cases }) => ({
  row,
  fault,
  side: 'upstream',
  sees,
  details: cases.map(toDetail),
}));

function toDetail(fault: FaultCase): FaultDetail {
  const columns = SETTINGS.filter((at) => fault.columns?.(at) ?? true);
  return {
    name: fault.name,
    answers: new Map(
      columns.map((at) => [
        `${at.dialect} ${at.mode}`,
        [...new Set(fault.expect(at).map(inWords))].join(', then '),
      ]),
    ),
  };
}
