import type { Job, JobKind } from '../../ollama/control-plane.ts';
import { isErrorCode } from '../../providers/openai/error-body.ts';
import { ObeliskError } from '../../shared/errors.ts';
import { lineSafeJson } from '../../shared/line-safe-json.ts';

/** Says what of a job is new, as the lines of Ollama's stream. */
export type JobLines = {
  /**
   * The lines since the last call; none where nothing is new that Ollama has a word for.
   * @throws ObeliskError why the job has ended without success.
   */
  read(job: Job): string;
  /** @throws ObeliskError unless the last state that was read is the end of the job. */
  end(): void;
};

const VERBS: Readonly<Partial<Record<JobKind, string>>> = { pull: 'pulling', push: 'pushing' };

/** Starts with nothing told. */
export function createJobLines(): JobLines {
  let told = '';
  let last: Job | undefined;
  const sums = new Map<string, number>();
  const statusLine = (status: string): string =>
    // The job itself says when it has succeeded: a model must be found again before that.
    status === '' || status === 'success' || status === told ? '' : toLine({ status });
  return {
    end() {
      if (last?.state === 'done') return;
      throw new ObeliskError('overloaded', `the job ${last?.id ?? ''} goes on, but is watched no longer`);
    },
    read(job) {
      last = job;
      throwFailure(job);
      const verb = VERBS[job.spec.kind];
      const layers = job.progress.layers
        .filter(({ digest, completedBytes }) => sums.get(digest) !== completedBytes)
        .map(({ digest, totalBytes: total, completedBytes: completed }) => {
          sums.set(digest, completed);
          const status = verb === undefined ? job.progress.status : `${verb} ${shortOf(digest)}`;
          return toLine({ status, digest, total, completed });
        });
      const status = statusOf(job);
      const lines = layers.length === 0 ? statusLine(status) : layers.join('');
      told = status;
      return job.state === 'done' ? `${lines}${toLine({ status: 'success' })}` : lines;
    },
  };
}

/** A job that waits for its next try says why. */
function statusOf({ progress: { status }, error }: Job): string {
  return error === undefined ? status : `${status}: ${error.message}`;
}

/** Twelve digits of a digest, as Ollama shows them. */
function shortOf(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

function toLine(fields: object): string {
  return `${lineSafeJson(fields)}\n`;
}

function throwFailure({ state, error, id }: Job): void {
  if (state === 'failed' || state === 'lost') {
    const code = error !== undefined && isErrorCode(error.code) ? error.code : 'upstream_error';
    throw new ObeliskError(code, error?.message ?? `the job ${id} has ended: ${state}`);
  }
  if (state === 'cancelled') throw new ObeliskError('upstream_error', `the job ${id} was cancelled`);
}
