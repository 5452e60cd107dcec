import type { ControlPlane, Job, JobSpec } from '../../ollama/control-plane.ts';
import { toDoorError } from '../../providers/ollama/door/door-error.ts';
import { ObeliskError } from '../../shared/errors.ts';
import type { Call } from '../call.ts';
import { EventStream } from '../event-stream.ts';
import type { Heartbeat, StreamFraming } from '../event-stream.ts';
import { readBody } from '../ollama-management/read-request.ts';
import { untilGone } from '../until-gone.ts';
import { createJobLines } from './job-lines.ts';
import {
  copyBody,
  createBody,
  deleteBody,
  modelOf,
  noUploads,
  sourceOf,
  transferBody,
} from './manage-bodies.ts';

/** What the operations are made of. */
export type ManageOptions = { readonly control: ControlPlane; readonly heartbeat: Heartbeat };

/** The operations of Ollama's API that change what models there are, by their paths below `/api/`. */
export type ManageOperations = Readonly<
  Record<
    'pull' | 'push' | 'create' | 'copy' | 'delete' | 'findBlob' | 'upload',
    (call: Call) => void | Promise<void>
  >
>;

/** Creates the operations over a control plane. */
export function createManageOperations(options: ManageOptions): ManageOperations {
  const { control } = options;
  return {
    async pull(call) {
      const body = await readBody(call, transferBody());
      const spec = { kind: 'pull', model: modelOf(body), ...insecureOf(body) } as const;
      await answerJob(call, { spec, stream: body.stream ?? true }, options);
    },
    async push(call) {
      const body = await readBody(call, transferBody());
      const spec = { kind: 'push', model: modelOf(body), ...insecureOf(body) } as const;
      await answerJob(call, { spec, stream: body.stream ?? true }, options);
    },
    async create(call) {
      const body = await readBody(call, createBody());
      const spec = { kind: 'create', model: modelOf(body), source: sourceOf(body) } as const;
      await answerJob(call, { spec, stream: body.stream ?? true }, options);
    },
    async copy(call) {
      const { source, destination } = await readBody(call, copyBody());
      await control.copy(source, destination);
      call.send(200, {}, '');
    },
    async delete(call) {
      await control.remove(modelOf(await readBody(call, deleteBody())));
      call.send(200, {}, '');
    },
    // Whoever looks for a file first is told when it uploads it: an answer to HEAD has no text.
    findBlob() {
      throw new ObeliskError('not_found', 'there is no such file');
    },
    upload() {
      throw noUploads();
    },
  };
}

function insecureOf({ insecure }: { readonly insecure?: boolean | null | undefined }): {
  readonly insecure?: true;
} {
  return insecure === true ? { insecure } : {};
}

type AskedJob = { readonly spec: JobSpec; readonly stream: boolean };

/** Ollama reports often enough that its clients need no other sign of life; an empty line they cannot read. */
function framingOf(status: () => string): StreamFraming {
  return {
    contentType: 'application/x-ndjson',
    alive: () => `${JSON.stringify({ status: status() })}\n`,
    failure: (error) => `${toDoorError(error)}\n`,
  };
}

/** Starts a job, or joins the one that does the same, and tells how it goes. Who leaves does not end it. */
async function answerJob(call: Call, { spec, stream }: AskedJob, options: ManageOptions): Promise<void> {
  const { control, heartbeat } = options;
  const job = control.startJob(spec);
  call.model = spec.model;
  const follow = (signal: AbortSignal): AsyncIterable<Job> => control.watchJob(job.id, signal);
  if (stream) {
    await streamJob(call, { follow, heartbeat });
    return;
  }
  const lines = createJobLines();
  await untilGone(call, async (signal) => {
    for await (const state of follow(signal)) lines.read(state);
    lines.end();
  });
  call.json(200, JSON.stringify({ status: 'success' }));
}

type Following = {
  follow(signal: AbortSignal): AsyncIterable<Job>;
  readonly heartbeat: Heartbeat;
};

async function streamJob(call: Call, { follow, heartbeat }: Following): Promise<void> {
  let status = '';
  const output = new EventStream(
    call,
    heartbeat,
    framingOf(() => status),
  );
  const lines = createJobLines();
  await untilGone(call, async (signal) => {
    call.interrupted = (error) => output.fail(error);
    try {
      for await (const job of follow(signal)) {
        ({ status } = job.progress);
        const text = lines.read(job);
        if (text !== '' && !output.send(text)) await output.drained();
      }
      lines.end();
      output.end('');
    } catch (error) {
      output.fail(error);
    }
  });
}
