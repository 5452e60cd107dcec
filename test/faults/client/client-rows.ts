import type { FaultRow } from '../row.ts';
import { ACCEPTED } from './accepted.ts';
import { ACCESS } from './access.ts';
import { REFUSED_BODIES } from './bodies.ts';
import { DEPARTURES_CASES } from './departures.ts';
import { SERVED_FRAMING } from './framing-served.ts';
import { REFUSED_FRAMING } from './framing.ts';
import { OVERSIZED } from './oversized.ts';
import { CROWDS, SLOW_BODIES, SLOW_CLIENTS } from './slow-clients.ts';
import { STALLED_CROWDS, STALLED_READERS } from './stalled-readers.ts';

const CASES: readonly FaultRow[] = [
  ...DEPARTURES_CASES,
  ...STALLED_READERS,
  ...STALLED_CROWDS,
  ...SLOW_CLIENTS,
  ...SLOW_BODIES,
  ...CROWDS,
  ...OVERSIZED,
  ...REFUSED_BODIES,
  ...ACCEPTED,
  ...ACCESS,
  ...REFUSED_FRAMING,
  ...SERVED_FRAMING,
];

/** What a client can do wrong, in the order of the table: faults that are answered alike are one line. */
export const ROWS: readonly FaultRow[] = [...Map.groupBy(CASES, ({ row, sees }) => `${row} ${sees}`).values()]
  .flatMap(([first, ...others]) =>
    first === undefined
      ? []
      : [{ row: first.row, side: first.side, sees: first.sees, fault: joined([first, ...others]) }],
  )
  .toSorted((a, b) => a.row - b.row);

/** `The client sends x; sends y.` */
function joined(cases: readonly FaultRow[]): string {
  const faults = cases.map(({ fault }) => fault.replace(/\.$/, ''));
  const [first = '', ...others] = faults;
  const subject = /^(?:The (?:client|body|Host|request comes|model’s name)) /.exec(first)?.[0] ?? '';
  const rest = others.map((fault) => (fault.startsWith(subject) ? fault.slice(subject.length) : fault));
  return `${[first, ...rest].join('; ')}.`;
}
