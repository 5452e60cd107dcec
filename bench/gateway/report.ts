import { outcomeOf, roundsOf, summaryOf } from './comparison.ts';
import type { Outcome } from './comparison.ts';
import type { Results } from './results.ts';
import { PEERS } from './peers.ts';
import { EMPTY_NODE } from './scenarios/start.ts';
import { CONTROLS, TARGETS } from './targets.ts';
import type { Target } from './targets.ts';

type Column = { readonly figure: string; readonly title: string; readonly digits: number };

const column = (figure: string, title: string, digits: number): Column => ({ figure, title, digits });

const LOAD: readonly Column[] = [
  column('requestsPerSecond', 'req/s', 0),
  column('microsPerRequest', 'CPU µs/request', 1),
  column('p50Micros', 'p50 µs', 0),
  column('p99Micros', 'p99 µs', 0),
];

/** The first column is what is divided by the reference. */
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  'json-1k': LOAD,
  'request-64k': LOAD,
  'answer-64k': LOAD,
  latency: LOAD,
  streams: [
    column('microsPerEvent', 'CPU µs/event', 1),
    column('eventsShare', 'events kept up', 2),
    column('firstP50Ms', 'first p50 ms', 2),
    column('firstP99Ms', 'first p99 ms', 2),
    column('gapP99Ms', 'gap p99 ms', 1),
  ],
  burst: [
    column('firstP99Ms', 'first p99 ms', 0),
    column('firstP50Ms', 'first p50 ms', 0),
    column('connectP99Ms', 'connect p99 ms', 0),
    column('microsPerStream', 'CPU µs/stream', 0),
    column('idleMib', 'before MiB', 0),
    column('openMib', 'open MiB', 0),
    column('kibPerStream', 'KiB/stream', 1),
  ],
  start: [column('startMs', 'first answer ms', 1), column('idleMib', 'at rest MiB', 1)],
};

/** What the rows of a scenario are divided by. */
const REFERENCES: Readonly<Record<string, string>> = { start: EMPTY_NODE };
const REFERENCE = 'nginx';

/** The order of the rows: what there is to compare with, then the programs. */
const ORDER: readonly string[] = [...CONTROLS, ...PEERS.map(({ name }) => name)];

/** The programs whose targets are printed. */
const OBELISK: readonly string[] = ['codec', 'node'];

const MARKS: Readonly<Record<Outcome['verdict'], string>> = {
  aim: 'aim reached',
  floor: 'floor reached',
  missed: 'MISSED',
  void: 'VOID',
  noisy: 'NOISY',
  failed: 'FAILED',
};

/** Everything a run found, as text: its circumstances, a table for each scenario, the targets. */
export function report(results: Results): string {
  const { machine, commit, started, versions, settings, skipped } = results;
  const list = (facts: Readonly<Record<string, string | number>>): string =>
    Object.entries(facts)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  const scenarios = Object.keys(COLUMNS).filter((name) =>
    results.rounds.some((round) => round.scenario === name),
  );
  return [
    `${started.slice(0, 10)}, commit ${commit}; ${list(machine)}; ${list(settings)}`,
    `versions: ${list(versions)}`,
    ...Object.entries(skipped).map(([name, reason]) => `not measured: ${name}; ${reason}`),
    ...scenarios.flatMap((name) => ['', ...scenarioTable(results, name)]),
    '',
    ...targetTable(results),
  ].join('\n');
}

/** One row a program: medians of the rounds, the share of the first gateway, what to doubt. */
function scenarioTable(results: Results, scenario: string): readonly string[] {
  const columns = COLUMNS[scenario] ?? [];
  const measured = new Set(
    results.rounds.filter((round) => round.scenario === scenario).map(({ program }) => program),
  );
  const programs = [...measured].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  const [main] = columns;
  const divisor = REFERENCES[scenario] ?? REFERENCE;
  const reference = main && summaryOf(results, { scenario, program: divisor, figure: main.figure })?.value;
  const rows = programs.map((program) => {
    const cells = columns.map(({ figure, digits }) => {
      const summary = summaryOf(results, { scenario, program, figure });
      return summary === undefined ? '–' : summary.value.toFixed(digits);
    });
    const own = main && summaryOf(results, { scenario, program, figure: main.figure });
    const share = own && reference ? significant(own.value / reference) : '–';
    const work = columns === LOAD ? [byWork(results, scenario, program)] : [];
    const spread = own ? `${percent(own.least / own.value - 1)} ${percent(own.most / own.value - 1)}` : '–';
    return [
      program,
      ...cells,
      share,
      ...work,
      spread,
      String(own?.rounds ?? 0),
      doubts(results, scenario, program),
    ];
  });
  const head = [
    scenario,
    ...columns.map(({ title }) => title),
    `÷ ${divisor}`,
    ...(columns === LOAD ? ['by CPU'] : []),
    'spread',
    'rounds',
    '',
  ];
  return table([head, ...rows]);
}

/** Throughput ÷ nginx as processor time per request has it: steadier, whichever core was the busy one. */
function byWork(results: Results, scenario: string, program: string): string {
  const figure = 'microsPerRequest';
  const [own, other] = [program, REFERENCE].map((name) =>
    summaryOf(results, { scenario, program: name, figure }),
  );
  return own && other ? significant(other.value / own.value) : '–';
}

function doubts(results: Results, scenario: string, program: string): string {
  const rounds = roundsOf(results, scenario, program);
  const voided = rounds.find((round) => round.void !== undefined)?.void;
  const noisy = rounds.find((round) => round.noisy !== undefined)?.noisy;
  const all = results.rounds.filter((round) => round.scenario === scenario && round.program === program);
  const failed = all.find((round) => round.failed !== undefined)?.failed;
  return [failed && `FAILED: ${failed}`, voided && `VOID: ${voided}`, noisy && `NOISY: ${noisy}`]
    .filter(Boolean)
    .join('; ');
}

function targetTable(results: Results): readonly string[] {
  const rows = TARGETS.flatMap((target) =>
    OBELISK.flatMap((program) => {
      const outcome = outcomeOf(results, target, program);
      return outcome === undefined ? [] : [targetRow(target, program, outcome)];
    }),
  );
  if (rows.length === 0) return [];
  return table([['target', 'transport', 'found', 'floor', 'aim', ''], ...rows]);
}

function targetRow(target: Target, program: string, { value, verdict, reason }: Outcome): readonly string[] {
  const told = (figure: number): string =>
    Number.isNaN(figure) ? '–' : `${significant(figure)} ${target.unit}`;
  const doubt = reason === undefined ? '' : `: ${reason}`;
  return [target.title, program, told(value), told(target.floor), told(target.aim), MARKS[verdict] + doubt];
}

function significant(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();
}

function percent(value: number): string {
  return `${value < 0 ? '' : '+'}${(100 * value).toFixed(0)} %`;
}

/** Aligns cells: the first column to the left, the last as it is, the others to the right. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, index) => {
        if (index === row.length - 1) return cell;
        return index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0);
      })
      .join('  ')
      .trimEnd(),
  );
}
