import type { Job, JobSpec } from '../../ollama/control-plane.ts';
import type { OptionSpec } from '../arguments.ts';
import { EXIT, printJson } from '../command.ts';
import type { CommandContext } from '../command.ts';
import { withControl } from '../open-control.ts';
import { runJob } from './run-job.ts';

/** Options of every command that starts a job. */
export const JOB_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  host: { value: 'HOST', description: 'Host of the configuration (default: one that suits)' },
  detach: { short: 'd', description: 'Return at once; the job goes on in the running server' },
};

/** Sentences for the help of a command that starts a job. */
export const JOB_NOTES: readonly string[] = [
  'The work is done by the running server where there is one, else by this command.',
  'Ctrl-C cancels it; closing the terminal does not, where a server does it.',
];

/** Runs jobs one after another; the first that does not end well ends the command. */
export function runJobs(context: CommandContext, specs: readonly JobSpec[]): Promise<number> {
  return withControl(context, async (opened) => {
    const jobs: Job[] = [];
    let code: number = EXIT.ok;
    for (const spec of specs) {
      const ran = await runJob(context, opened, spec);
      jobs.push(ran.job);
      code = ran.code;
      if (code !== EXIT.ok) break;
    }
    if (context.arguments.has('json')) printJson(context, jobs);
    return code;
  });
}

/** The host that was named, for a request. */
export function placeOf({ arguments: given }: CommandContext): { readonly host?: string } {
  const host = given.text('host');
  return host === undefined ? {} : { host };
}
