import { z } from 'zod';
import {
  copyRequest,
  hostName,
  hostPatch,
  jobSpec,
  modelName,
  profilePatch,
  unloadRequest,
} from '../../ollama/control-plane-requests.ts';
import type { ControlEvent, ControlPlane, Job } from '../../ollama/control-plane.ts';
import { ObeliskError } from '../../shared/errors.ts';
import type { Call } from '../call.ts';
import { DEFAULT_HEARTBEAT } from '../event-stream.ts';
import type { Heartbeat } from '../event-stream.ts';
import { restOfPath } from '../rest-of-path.ts';
import { streamEvents } from './event-feed.ts';
import { openApiDocument } from './openapi.ts';
import { createEventText } from './event-text.ts';
import { checkField, readBody, readQuery } from './read-request.ts';
import { fitQuery, noQuery, placeQuery, showQuery } from './queries.ts';
import type { ManagementOptions } from './routes.ts';

/** One operation of the management. */
export type Operation = (call: Call) => void | Promise<void>;

/** Every operation by the name that the OpenAPI document gives it. */
export type Operations = {
  readonly describeApi: Operation;
  readonly listHosts: Operation;
  readonly showHost: Operation;
  readonly changeHost: Operation;
  readonly listModels: Operation;
  readonly showModel: Operation;
  readonly deleteModel: Operation;
  readonly copyModel: Operation;
  readonly unloadModel: Operation;
  readonly estimateFit: Operation;
  readonly listJobs: Operation;
  readonly startJob: Operation;
  readonly showJob: Operation;
  readonly cancelJob: Operation;
  readonly watchJob: Operation;
  readonly watchEvents: Operation;
  readonly listProfiles: Operation;
  readonly showProfile: Operation;
  readonly changeProfile: Operation;
};

/** Creates the operations over a control plane. */
export function createOperations({ control, heartbeat = DEFAULT_HEARTBEAT }: ManagementOptions): Operations {
  const eventText = createEventText<ControlEvent>(({ type }) => type);
  // Making it holds up every stream for more than 10 ms, and whoever may ask a model may ask for it.
  let description: string | undefined;
  return {
    ...hostOperations(control),
    ...modelOperations(control),
    ...jobOperations(control, heartbeat),
    ...profileOperations(control),
    describeApi(call) {
      description ??= JSON.stringify(openApiDocument());
      call.json(200, description, NO_STORE);
    },
    watchEvents(call) {
      readQuery(call, noQuery());
      return streamEvents(call, {
        heartbeat,
        greeting: CONNECTED,
        open: (signal) => control.events(signal),
        toText: eventText,
      });
    },
  };
}

type HostOperations = Pick<Operations, 'listHosts' | 'showHost' | 'changeHost'>;

function hostOperations(control: ControlPlane): HostOperations {
  return {
    listHosts(call) {
      readQuery(call, noQuery());
      answer(call, { data: control.hosts() });
    },
    showHost(call) {
      readQuery(call, noQuery());
      const name = hostOf(call);
      const found = control.hosts().find((host) => host.name.toLowerCase() === name.toLowerCase());
      if (found === undefined) {
        const names = control.hosts().map((host) => host.name);
        throw new ObeliskError('not_found', `there is no host of that name; there are ${names.join(', ')}`);
      }
      answer(call, found);
    },
    async changeHost(call) {
      readQuery(call, noQuery());
      const { draining } = await readBody(call, hostPatch());
      answer(call, control.drain(hostOf(call), draining));
    },
  };
}

type ModelOperations = Pick<
  Operations,
  'listModels' | 'showModel' | 'deleteModel' | 'copyModel' | 'unloadModel' | 'estimateFit'
>;

function modelOperations(control: ControlPlane): ModelOperations {
  return {
    async listModels(call) {
      readQuery(call, noQuery());
      answer(call, { data: await control.models() });
    },
    async showModel(call) {
      const where = readQuery(call, showQuery());
      answer(call, await control.show(modelOf(call), where));
    },
    async deleteModel(call) {
      const where = readQuery(call, placeQuery());
      const model = modelOf(call);
      await control.remove(model, where);
      answer(call, { model, deleted: true });
    },
    async copyModel(call) {
      readQuery(call, noQuery());
      const { source, destination, ...where } = await readBody(call, copyRequest());
      await control.copy(source, destination, where);
      answer(call, { source, destination });
    },
    async unloadModel(call) {
      readQuery(call, noQuery());
      const { model, ...where } = await readBody(call, unloadRequest());
      answer(call, { model, hosts: await control.unload(model, where) });
    },
    async estimateFit(call) {
      const ask = readQuery(call, fitQuery());
      answer(call, { data: await control.fit(modelOf(call), ask) });
    },
  };
}

type JobOperations = Pick<Operations, 'listJobs' | 'startJob' | 'showJob' | 'cancelJob' | 'watchJob'>;

function jobOperations(control: ControlPlane, heartbeat: Heartbeat): JobOperations {
  const textOf = createEventText<Job>(() => 'job');
  return {
    listJobs(call) {
      readQuery(call, noQuery());
      answer(call, { data: control.jobs() });
    },
    async startJob(call) {
      readQuery(call, noQuery());
      const spec = await readBody(call, jobSpec(z.strictObject));
      const before = new Set(control.jobs().map((job) => job.id));
      const job = control.startJob(spec);
      // 200 says that the job that was there already does the same.
      call.json(before.has(job.id) ? 200 : 202, JSON.stringify(job), {
        ...NO_STORE,
        location: `/ollama/jobs/${encodeURIComponent(job.id)}`,
      });
    },
    showJob(call) {
      readQuery(call, noQuery());
      answer(call, control.job(idOf(call)));
    },
    cancelJob(call) {
      readQuery(call, noQuery());
      answer(call, control.cancelJob(idOf(call)));
    },
    watchJob(call) {
      readQuery(call, noQuery());
      const { id } = control.job(idOf(call));
      return streamEvents(call, {
        heartbeat,
        greeting: CONNECTED,
        open: (signal) => control.watchJob(id, signal),
        toText: textOf,
      });
    },
  };
}

type ProfileOperations = Pick<Operations, 'listProfiles' | 'showProfile' | 'changeProfile'>;

function profileOperations(control: ControlPlane): ProfileOperations {
  return {
    listProfiles(call) {
      readQuery(call, noQuery());
      answer(call, { data: control.profiles() });
    },
    showProfile(call) {
      const where = readQuery(call, placeQuery());
      answer(call, control.profile(modelOf(call), where));
    },
    async changeProfile(call) {
      const where = readQuery(call, placeQuery());
      const patch = await readBody(call, profilePatch());
      answer(call, control.patchProfile(modelOf(call), patch, where));
    },
  };
}

/** A comment, which no client takes for data (HTML standard, section 9.2.6). */
const CONNECTED = ': connected\n\n';

const NO_STORE = { 'cache-control': 'no-store' };

function answer(call: Call, body: unknown): void {
  call.json(200, JSON.stringify(body), NO_STORE);
}

const modelOf = (call: Call): string => checkField('model', restOfPath(call), modelName());
const hostOf = (call: Call): string => checkField('host', restOfPath(call), hostName());
const idOf = (call: Call): string => checkField('id', restOfPath(call), z.string().min(1).max(100));
