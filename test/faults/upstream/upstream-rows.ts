import type { FaultDetail, FaultRow } from '../row.ts';
import { ANOTHER_ROWS } from './another.ts';
import { BODY_ROWS } from './bodies.ts';
import { CLOCK_ROWS } from './clocks.ts';
import { CONNECTION_ROWS } from './connection.ts';
import { ENDING_ROWS } from './endings.ts';
import { inWords } from './fault-case.ts';
import type { Fate, FaultCase, UpstreamRow } from './fault-case.ts';
import { FRAMING_ROWS } from './framing.ts';
import { SETTINGS } from './speech.ts';
import type { Setting } from './speech.ts';
import { PRESSURE_ROWS } from './pressure.ts';
import { STATUS_ROWS } from './statuses.ts';
import { STREAM_ROWS } from './streams.ts';

/** Every fault of an upstream, to be run. */
export const UPSTREAM_ROWS: readonly UpstreamRow[] = [
  ...CLOCK_ROWS,
  ...CONNECTION_ROWS,
  ...ENDING_ROWS,
  ...FRAMING_ROWS,
  ...BODY_ROWS,
  ...PRESSURE_ROWS,
  ...STATUS_ROWS,
  ...STREAM_ROWS,
  ...ANOTHER_ROWS,
].sort((a, b) => a.row - b.row);

/** Every fault of an upstream, for the documentation: one row a number, with all its cases. */
export const ROWS: readonly FaultRow[] = [...Map.groupBy(UPSTREAM_ROWS, ({ row }) => row)].map(
  ([row, parts]): FaultRow => {
    const told = parts.find(({ sees }) => sees !== '');
    if (told === undefined) throw new Error(`nobody says what row ${row} is about`);
    const details = parts.flatMap(({ cases }) => cases.map(toDetail));
    return { row, fault: told.fault, side: 'upstream', sees: told.sees, details };
  },
);

function toDetail(fault: FaultCase): FaultDetail {
  const columns = SETTINGS.filter((at) => fault.columns?.(at) ?? true);
  const answerOf = (at: Setting): string =>
    [...new Set(fault.expect(at).map(inWords))].join(', then ') + fateInWords(fault.becomes?.(at));
  return {
    name: fault.name,
    answers: new Map(columns.map((at) => [`${at.dialect} ${at.mode}`, answerOf(at)])),
  };
}

/** What becomes of a deployment, where it is worth a word. */
function fateInWords(fate: Fate | undefined): string {
  if (fate === undefined || fate === 'serving') return '';
  return fate === 'disabled' ? '; the first is not asked again' : '; the first is left alone for a while';
}
