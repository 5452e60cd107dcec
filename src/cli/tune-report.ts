import type { PairedComparison } from '../ollama/tune/paired-comparison.ts';
import type { TuneReport, TuneRow } from '../ollama/tune/report.ts';
import { settingKey } from '../ollama/tune/setting.ts';
import type { Compared } from '../ollama/tune/tune.ts';
import type { Comparison, Figures } from '../ollama/tune/verdict.ts';
import { styleOf } from './command.ts';
import type { CommandContext } from './command.ts';
import { toBytes } from '../shared/quantities.ts';
import { withoutControls } from './style.ts';
import { toTable, widthOf } from './table.ts';
import { toSpeed } from './tune-progress.ts';

/** Prints what was measured on a host as a table and a chart, and what follows from it. */
export function printTuneReport(context: CommandContext, report: TuneReport, host: string): void {
  const style = styleOf(context);
  const { stdout } = context.terminal;
  const { workload, now, rows, skipped } = report;
  const asked =
    workload.kind === 'chat'
      ? `prompts of ${workload.promptTokens} tokens, answers of ${workload.answerTokens}`
      : `${workload.promptTokens} tokens of text at once`;
  stdout.write(`${style.bold(withoutControls(report.model))} on ${host}: ${asked}\n`);
  for (const { option, reason } of skipped) stdout.write(style.dim(`${option} is left alone: ${reason}\n`));
  if (now !== undefined) {
    const header = [
      'SETTING',
      'PROMPT',
      'ANSWER',
      'FIRST TOKEN',
      'LOAD',
      'MEMORY',
      'SPEED',
      '95 %',
      'AGAINST',
      'VERDICT',
    ];
    const table = [header.map(style.bold), ['now', ...figureCells(now), '', '', '', ''], ...rows.map(toRow)];
    stdout.write(`\n${toTable(table)}`);
    stdout.write(`\n${toChart(rows)}`);
  }
  stdout.write(`\n${outcomeOf(report, host).map(withoutControls).join('\n')}\n`);
  for (const advice of report.advice) stdout.write(`${withoutControls(advice)}\n`);
}

function toRow(row: TuneRow): readonly string[] {
  const { speed } = row.comparison;
  return [
    nameOf(row),
    ...(row.figures === undefined ? ['-', '-', '-', '-', '-'] : figureCells(row.figures)),
    Number.isNaN(speed.ratio) ? '-' : speed.ratio.toFixed(2),
    speed.high === Infinity ? '' : `${speed.low.toFixed(2)} to ${speed.high.toFixed(2)}`,
    row.against,
    row.stage === 'search' && row.failure === undefined ? '' : row.comparison.verdict,
  ].map(withoutControls);
}

/** The same setting is looked at first, and then compared. */
function nameOf({ stage, setting }: TuneRow): string {
  return stage === 'search' ? setting : `${setting} (${stage})`;
}

function figureCells({
  promptSpeed,
  answerSpeed,
  firstTokenMs,
  loadMs,
  sizeBytes,
  vramBytes,
}: Figures): readonly string[] {
  const memory = toBytes(sizeBytes);
  return [
    toSpeed(promptSpeed),
    answerSpeed === undefined ? '-' : toSpeed(answerSpeed),
    firstTokenMs === undefined ? '-' : `${firstTokenMs.toFixed(0)} ms`,
    loadMs === undefined ? '-' : `${(loadMs / 1_000).toFixed(1)} s`,
    vramBytes === 0 ? memory : `${memory}, ${Math.round((100 * vramBytes) / Math.max(1, sizeBytes))} % video`,
  ];
}

const CHART_WIDTH = 41;
const CHART_LEAST = 0.5;
const CHART_MOST = 1.5;
const LABEL_WIDTH = 44;

/** Draws how fast each setting was against the one that it was compared with: ● between the ends of its interval. */
function toChart(rows: readonly TuneRow[]): string {
  const drawn = rows.filter(({ comparison }) => !Number.isNaN(comparison.speed.ratio));
  if (drawn.length === 0) return '';
  const width = Math.min(LABEL_WIDTH, Math.max(...drawn.map((row) => widthOf(nameOf(row)))));
  const label = (text: string): string => {
    const short = text.length > width ? `${text.slice(0, width - 1)}…` : text;
    return short + ' '.repeat(width - widthOf(short));
  };
  const gap = ' '.repeat((CHART_WIDTH - 9) / 2);
  const axis = `${label('')}  ${CHART_LEAST.toFixed(1)}${gap}1.0${gap}${CHART_MOST.toFixed(1)} times as fast`;
  const lines = drawn.map((row) => `${label(withoutControls(nameOf(row)))}  ${toBar(row.comparison.speed)}`);
  return `${axis}\n${lines.join('\n')}\n`;
}

function toBar({ ratio, low, high }: PairedComparison): string {
  const cells = Array.from({ length: CHART_WIDTH }, () => ' ');
  const at = (value: number): number => {
    const share = (value - CHART_LEAST) / (CHART_MOST - CHART_LEAST);
    return Math.min(CHART_WIDTH - 1, Math.max(0, Math.round(share * (CHART_WIDTH - 1))));
  };
  if (high !== Infinity) cells.fill('─', at(low), at(high) + 1);
  cells[at(1)] = '│';
  cells[at(ratio)] = ratio > CHART_MOST ? '▶' : ratio < CHART_LEAST ? '◀' : '●';
  return cells.join('').trimEnd();
}

function outcomeOf({ outcome, now, model, written }: TuneReport, host: string): readonly string[] {
  const { found, refused, traded, isComplete } = outcome;
  const reasons = [...traded.map(tradeOf), ...refused.map(refusalOf)];
  const rest = found === undefined ? 'What was measured is kept: the' : 'The';
  const time = isComplete ? [] : [`Time is up. ${rest} same command goes on.`];
  if (found !== undefined) {
    const { speed } = found.comparison;
    const done = `${settingKey(found.setting)} ${written === undefined ? 'would be written' : 'is written'} to the profile of ${model} on ${host}`;
    const names = Object.keys(found.setting).map((name) => `--unset ${name}`);
    const undo = `obelisk ollama profiles ${model} --host ${host} ${names.join(' ')}`;
    const back = written === undefined ? [] : [`To take it back: ${undo}`];
    return [...reasons, `${done}: ${timesOf(speed)} over ${speed.rounds} rounds.`, ...back, ...time];
  }
  if (isComplete && now === undefined) return ['There is nothing to try on this model and host.'];
  const isVain = isComplete && reasons.length === 0;
  const why = isVain ? ': nothing that was tried seemed faster than what counts now' : '';
  return [...reasons, `Nothing is written${why}.`, ...time];
}

function refusalOf({ setting, comparison }: Compared): string {
  const { speed, verdict } = comparison;
  const name = settingKey(setting);
  if (verdict === 'failed') return `${name} failed in rounds of its own.`;
  if (verdict !== 'mixed') {
    return `${name} seemed faster at first, but ${timesOf(speed)} over ${speed.rounds} rounds of its own is no difference beyond noise.`;
  }
  return `${name} is ${timesOf(speed)} as a whole, but ${partsOf(comparison)}; --trade takes it all the same.`;
}

function tradeOf({ setting, comparison }: Compared): string {
  const { speed } = comparison;
  return `${settingKey(setting)} seemed ${speed.ratio.toFixed(2)} times as fast as a whole, but ${partsOf(comparison)}; with --trade it is compared too.`;
}

function partsOf({ prompt, answer }: Comparison): string {
  return `prompts ${prompt.ratio.toFixed(2)} times and answers ${answer.ratio.toFixed(2)} times`;
}

/** With the interval that holds the truth in 95 of 100 cases. */
function timesOf({ ratio, low, high }: PairedComparison): string {
  const interval = high === Infinity ? '' : ` (95 %: ${low.toFixed(2)} to ${high.toFixed(2)})`;
  return `${ratio.toFixed(2)} times as fast${interval}`;
}
