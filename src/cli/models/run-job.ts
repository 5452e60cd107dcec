import type { Job, JobSpec } from '../../ollama/control-plane.ts';
import { hasEnded } from '../../ollama/jobs/follow-job.ts';
import { EXIT } from '../command.ts';
import type { CommandContext } from '../command.ts';
import type { StartedJob } from '../controlling.ts';
import type { OpenedControl } from '../open-control.ts';
import { createStyle, withoutControls } from '../style.ts';
import { createJobView, titleOf } from './job-view.ts';

/** A job as it was when it was left, and the exit code that it means. */
export type RanJob = { readonly job: Job; readonly code: number };

/**
 * Starts a job and shows it until it has ended. Ctrl-C cancels it, as it does where Ollama's own
 * program downloads; a job that somebody else had begun, in the server, goes on.
 */
export async function runJob(context: CommandContext, opened: OpenedControl, spec: JobSpec): Promise<RanJob> {
  const started = await opened.control.startJob(spec);
  if (context.arguments.has('detach') && opened.serverUrl !== undefined) {
    say(context, `${titleOf(started.job)} goes on in the server as ${started.job.id}: obelisk models jobs`);
    return { job: started.job, code: EXIT.ok };
  }
  const job = await watch(context, opened, started);
  if (context.terminal.signal.aborted && !hasEnded(job)) return leave(context, opened, { ...started, job });
  report(context, job);
  return { job, code: job.state === 'done' ? EXIT.ok : EXIT.failure };
}

async function watch(context: CommandContext, { control }: OpenedControl, started: StartedJob): Promise<Job> {
  const { terminal } = context;
  const view = createJobView(terminal.stderr, () => performance.now());
  let { job } = started;
  try {
    for await (const next of control.watchJob(job.id, terminal.signal)) {
      job = next;
      if (hasEnded(job)) break;
      view.update(job);
    }
  } catch (error) {
    if (!terminal.signal.aborted) throw error;
  } finally {
    view.end();
  }
  // A stream may end before its job does: then the job itself says how it is.
  return hasEnded(job) || terminal.signal.aborted ? job : control.job(job.id);
}

async function leave(
  context: CommandContext,
  { control, serverUrl }: OpenedControl,
  { job, joined }: StartedJob,
): Promise<RanJob> {
  if (joined && serverUrl !== undefined) {
    say(context, `${titleOf(job)} was begun elsewhere and goes on in the server as ${job.id}`);
    return { job, code: EXIT.interrupted };
  }
  const cancelled = await control.cancelJob(job.id);
  const hint = job.spec.kind === 'pull' ? '; another pull goes on from where it was' : '';
  say(context, `${titleOf(job)} is cancelled${hint}`);
  return { job: cancelled, code: EXIT.interrupted };
}

function report(context: CommandContext, job: Job): void {
  const { stderr, environment } = context.terminal;
  const style = createStyle(stderr, environment);
  for (const notice of job.progress.notices ?? [])
    say(context, `${style.yellow('!')} ${withoutControls(notice)}`);
  if (job.state === 'done') {
    say(context, `${style.green('✓')} ${titleOf(job)}`);
    return;
  }
  const why = job.error === undefined ? job.state : withoutControls(job.error.message);
  stderr.write(`${style.red(`${titleOf(job)}:`)} ${why}\n`);
}

function say(context: CommandContext, sentence: string): void {
  context.terminal.stderr.write(`${sentence}\n`);
}
