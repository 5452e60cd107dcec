import type { ControlPlane, CreateSource, Job, JobSpec, ModelPlace } from '../../ollama/control-plane.ts';
import type { FleetBlobs } from '../../ollama/fleet/fleet-blobs.ts';
import { toDoorError } from '../../providers/ollama/door/door-error.ts';
import { lineSafeJson } from '../../shared/line-safe-json.ts';
import type { Call } from '../call.ts';
import type { Heartbeat, StreamFraming } from '../event-stream.ts';
import { streamEvents } from '../ollama-management/event-feed.ts';
import { readBody } from '../ollama-management/read-request.ts';
import { untilGone } from '../until-gone.ts';
import { findBlob, placeOf, uploadBlob } from './blob-operations.ts';
import { createJobLines } from './job-lines.ts';
import type { JobLines } from './job-lines.ts';
import { copyBody, createBody, deleteBody, modelOf, sourceOf, transferBody } from './manage-bodies.ts';

/** What the operations are made of. */
export type ManageOptions = {
  readonly control: ControlPlane;
  readonly blobs: FleetBlobs;
  readonly heartbeat: Heartbeat;
};

/** The operations of Ollama's API that change what models there are, by their paths below `/api/`. */
export type ManageOperations = Readonly<
  Record<
    'pull' | 'push' | 'create' | 'copy' | 'delete' | 'findBlob' | 'upload',
    (call: Call) => void | Promise<void>
  >
>;

/** Creates the operations over a control plane. */
export function createManageOperations(options: ManageOptions): ManageOperations {
  const { control, blobs } = options;
  const transfer = async (call: Call, kind: 'pull' | 'push'): Promise<void> => {
    const body = await readBody(call, transferBody());
    const spec = { kind, model: modelOf(body), ...(body.insecure === true ? { insecure: true } : {}) };
    await answerJob(call, { spec, stream: body.stream ?? true }, options);
  };
  return {
    pull: (call) => transfer(call, 'pull'),
    push: (call) => transfer(call, 'push'),
    async create(call) {
      const body = await readBody(call, createBody());
      const order = { model: modelOf(body), source: sourceOf(body) };
      const spec = { kind: 'create', ...order, ...(await placeToCreate(call, order, blobs)) } as const;
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
    findBlob: (call) => findBlob(call, blobs),
    upload: (call) => uploadBlob(call, blobs),
  };
}

type CreateOrder = { readonly model: string; readonly source: CreateSource };

/** A model is made where its files are. */
async function placeToCreate(
  call: Call,
  { model, source: { from, files, adapterFiles } }: CreateOrder,
  blobs: FleetBlobs,
): Promise<ModelPlace> {
  const place = placeOf(call);
  const digests = [...Object.values(files ?? {}), ...Object.values(adapterFiles ?? {})];
  if (place.host !== undefined || digests.length === 0) return place;
  const host = await untilGone(call, (signal) => blobs.hostWith(digests, { model, base: from }, signal));
  return { host };
}

type AskedJob = { readonly spec: JobSpec; readonly stream: boolean };

/** Ollama reports often enough that its clients need no other sign of life; an empty line they cannot read. */
function framingOf(status: () => string): StreamFraming {
  return {
    contentType: 'application/x-ndjson',
    alive: () => `${lineSafeJson({ status: status() })}\n`,
    failure: (error) => `${toDoorError(error)}\n`,
  };
}

/** Starts a job, or joins the one that does the same, and tells how it goes. Who leaves does not end it. */
async function answerJob(call: Call, { spec, stream }: AskedJob, options: ManageOptions): Promise<void> {
  const { control, heartbeat } = options;
  const job = control.startJob(spec);
  call.model = spec.model;
  const lines = createJobLines();
  const follow = (signal: AbortSignal): AsyncIterable<Job> =>
    untilItsEnd(control.watchJob(job.id, signal), lines);
  if (!stream) {
    await untilGone(call, async (signal) => {
      for await (const state of follow(signal)) lines.read(state);
    });
    call.json(200, JSON.stringify({ status: 'success' }));
    return;
  }
  let status = '';
  await streamEvents<Job>(call, {
    heartbeat,
    framing: framingOf(() => status),
    open: follow,
    toText(state) {
      ({ status } = state.progress);
      return lines.read(state);
    },
  });
}

/** @throws ObeliskError where the watching ends before the job does. */
async function* untilItsEnd(states: AsyncIterable<Job>, lines: JobLines): AsyncGenerator<Job> {
  yield* states;
  lines.end();
}
