import type { Job } from '../../ollama/control-plane.ts';
import { EXIT, printJson, styleOf } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { withControl } from '../open-control.ts';
import { withoutControls } from '../style.ts';
import { toTable } from '../table.ts';

/** `obelisk models jobs`: what the server does, and did, with models. */
export const jobsCommand: Command = {
  spec: {
    name: 'models jobs',
    summary: 'List downloads and other jobs, or cancel one',
    options: { cancel: { value: 'ID', multiple: true, description: 'Cancel a job' } },
    examples: ['obelisk models jobs', 'obelisk models jobs --cancel job_5f3a…'],
  },
  run: (context) =>
    withControl(context, async ({ control }) => {
      for (const id of context.arguments.texts('cancel')) await control.cancelJob(id);
      const jobs = await control.jobs();
      if (context.arguments.has('json')) printJson(context, jobs);
      else printJobs(context, jobs);
      return EXIT.ok;
    }),
};

function printJobs(context: CommandContext, jobs: readonly Job[]): void {
  const header = ['ID', 'JOB', 'MODEL', 'HOST', 'STATE', 'DONE', 'BEGUN', 'STATUS'];
  const rows = jobs.map((job) => [
    job.id,
    job.spec.kind,
    withoutControls(job.spec.model),
    withoutControls(job.host),
    job.state,
    shareOf(job),
    new Date(job.createdMs).toISOString().slice(0, 19).replace('T', ' '),
    withoutControls(job.error?.message ?? job.progress.status),
  ]);
  context.terminal.stdout.write(toTable([header.map(styleOf(context).bold), ...rows]));
}

function shareOf({ state, progress: { totalBytes: total, completedBytes: done = 0 } }: Job): string {
  if (state === 'done') return '100%';
  return total === undefined || total === 0 ? '-' : `${Math.floor(Math.min(1, done / total) * 100)}%`;
}
