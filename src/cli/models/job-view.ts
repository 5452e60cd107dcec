import type { Job } from '../../ollama/control-plane.ts';
import { toBytes, toDuration } from '../../shared/quantities.ts';
import { createRedrawnLine, toBar } from '../redrawn-line.ts';
import { withoutControls } from '../style.ts';
import type { Output } from '../terminal.ts';

/** Shows how far a job is. */
export type JobView = {
  update(job: Job): void;
  /** Takes the bar away. */
  end(): void;
};

const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 5_000;

/**
 * Makes a view of a job: one line that redraws itself on a terminal; elsewhere a plain line when the
 * status changed, and one every five seconds.
 */
export function createJobView(output: Output, nowMs: () => number): JobView {
  let shownMs = Number.NEGATIVE_INFINITY;
  let status = '';
  const line = createRedrawnLine(output);
  return {
    update(job) {
      const everyMs = output.isTerminal ? BAR_EVERY_MS : LINE_EVERY_MS;
      const next = statusOf(job);
      if (next === status && nowMs() - shownMs < everyMs) return;
      status = next;
      shownMs = nowMs();
      if (output.isTerminal) line.draw(toShortLine(job));
      else output.write(`${toLine(job)}\n`);
    },
    end: line.clear,
  };
}

/** What is done to which model: `pull llama3:latest`. */
export function titleOf({ spec }: Job): string {
  return `${spec.kind} ${withoutControls(spec.model)}`;
}

function statusOf({ progress, state, attempts, error }: Job): string {
  const word = progress.status === '' ? state : withoutControls(progress.status);
  const status = attempts > 1 ? `${word} (try ${attempts})` : word;
  // While it waits for its next try: why it needs one.
  return error === undefined ? status : `${status}: ${withoutControls(error.message)}`;
}

function toLine(job: Job): string {
  const { totalBytes: total, completedBytes: done = 0 } = job.progress;
  const share = total === undefined || total === 0 ? '' : ` ${percentOf(done / total)}`;
  return `${titleOf(job)}:${share} ${[statusOf(job), ...figuresOf(job)].join(', ')}`;
}

function toShortLine(job: Job): string {
  const { totalBytes: total, completedBytes: done = 0 } = job.progress;
  const rest = [titleOf(job), statusOf(job), ...figuresOf(job)].join(', ');
  if (total === undefined || total === 0) return rest;
  const share = Math.min(1, done / total);
  return `${toBar(share)} ${percentOf(share)} ${rest}`;
}

/** Sizes, speed and time left, as far as they are known. */
function figuresOf({ progress }: Job): readonly string[] {
  const { totalBytes: total, completedBytes: done = 0, bytesPerSecond: speed, secondsLeft: left } = progress;
  return [
    ...(total === undefined || total === 0 ? [] : [`${toBytes(done)} of ${toBytes(total)}`]),
    ...(speed === undefined || speed < 1 ? [] : [`${toBytes(speed)}/s`]),
    ...(left === undefined ? [] : [`${toDuration(left)} left`]),
  ];
}

/** 100 % is said only of what is complete. */
function percentOf(share: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, share)) * 100)}%`.padStart(4);
}
