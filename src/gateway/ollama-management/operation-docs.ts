import { z } from 'zod';
import {
  copyRequest,
  hostPatch,
  jobSpec,
  profilePatch,
  unloadRequest,
} from '../../ollama/control-plane-requests.ts';
import {
  controlEvent,
  fitEstimate,
  fleetModel,
  hostView,
  job,
  profileView,
  shownModel,
} from '../../ollama/control-plane-schema.ts';
import type { Operations } from './operations.ts';
import { fitQuery, placeQuery, showQuery } from './queries.ts';

/** What the document says of one operation. */
export type OperationDoc = {
  readonly summary: string;
  /** What else there is to know. */
  readonly description?: string;
  readonly query?: () => z.ZodType;
  readonly body?: () => z.ZodType;
  readonly answer: Answer;
  /** Errors beside those that every operation has. */
  readonly errors?: readonly (400 | 404 | 502)[];
};

type Answer =
  /** `of` names a schema of `COMPONENTS`; `list` puts several into `data`. */
  | { readonly of: Component; readonly list?: true; readonly also?: string }
  | { readonly events: Component }
  | { readonly inline: () => z.ZodType }
  | { readonly document: string };

type Component = 'Host' | 'Model' | 'ShownModel' | 'Job' | 'Profile' | 'FitEstimate' | 'Event';

/** Schemas that operations share, by the names they get in the document. */
export const COMPONENTS: Readonly<Record<Component, () => z.ZodType>> = {
  Host: hostView,
  Model: fleetModel,
  ShownModel: shownModel,
  Job: job,
  Profile: profileView,
  FitEstimate: fitEstimate,
  Event: controlEvent,
};

/** Every operation, in the words of the document. */
export const OPERATION_DOCS: Readonly<Record<keyof Operations, OperationDoc>> = {
  describeApi: {
    summary: 'This document',
    answer: { document: 'An OpenAPI 3.1 document' },
  },
  listHosts: {
    summary: 'Every host of Ollama, as of the last look',
    answer: { of: 'Host', list: true },
  },
  showHost: { summary: 'One host', answer: { of: 'Host' }, errors: [404] },
  changeHost: {
    summary: 'Drain a host, or take that back',
    description: 'A draining host gets no new requests; those under way go on to their end.',
    body: hostPatch,
    answer: { of: 'Host' },
    errors: [400, 404],
  },
  listModels: {
    summary: 'Every installed model, and which hosts have it',
    description: 'Every host is looked at first.',
    answer: { of: 'Model', list: true },
  },
  showModel: {
    summary: 'What a model is',
    query: showQuery,
    answer: { of: 'ShownModel' },
    errors: [400, 404, 502],
  },
  deleteModel: {
    summary: 'Delete a model',
    description: 'From the host that is named, else from every host that has it.',
    query: placeQuery,
    answer: { inline: () => z.object({ model: z.string(), deleted: z.literal(true) }) },
    errors: [400, 404, 502],
  },
  copyModel: {
    summary: 'Give a model a second name',
    description: 'On the host that is named, else on every host that has it.',
    body: copyRequest,
    answer: { inline: () => z.object({ source: z.string(), destination: z.string() }) },
    errors: [400, 404, 502],
  },
  unloadModel: {
    summary: 'Take a model out of memory',
    description: 'On the host that is named, else on every host that has it loaded.',
    body: unloadRequest,
    answer: { inline: () => z.object({ model: z.string(), hosts: z.array(z.string()) }) },
    errors: [400, 404, 502],
  },
  estimateFit: {
    summary: 'Estimate the memory that a model takes, for each host',
    query: fitQuery,
    answer: { of: 'FitEstimate', list: true },
    errors: [400, 404, 502],
  },
  listJobs: { summary: 'Every job that is known', answer: { of: 'Job', list: true } },
  startJob: {
    summary: 'Start a pull, a push, a create or a load',
    description:
      'Answers at once; the job goes on in the server, whoever watches it, and is found again after a restart. 200 instead of 202 says that a job that was there already does the same.',
    body: () => jobSpec(z.strictObject),
    answer: { of: 'Job', also: '202' },
    errors: [400, 404],
  },
  showJob: { summary: 'One job', answer: { of: 'Job' }, errors: [404] },
  cancelJob: {
    summary: 'Cancel a job',
    description: 'What was downloaded stays at the host, and another pull goes on from there.',
    answer: { of: 'Job' },
    errors: [404],
  },
  watchJob: {
    summary: 'A job as it is, then each time that it changed, until it has ended',
    description:
      'Server-sent events named `job`. However many watch one job, the host is asked once. A failure of the stream itself is an event without a name that holds `{"error": …}`.',
    answer: { events: 'Job' },
    errors: [404],
  },
  watchEvents: {
    summary: 'What happens on the hosts from now on',
    description: 'Server-sent events, named by their `type`.',
    answer: { events: 'Event' },
  },
  listProfiles: { summary: 'Every hardware profile', answer: { of: 'Profile', list: true } },
  showProfile: {
    summary: 'What travels with every request for a model, and where each value comes from',
    query: placeQuery,
    answer: { of: 'Profile' },
    errors: [400, 404],
  },
  changeProfile: {
    summary: 'Change a hardware profile',
    description: 'It counts from the next request on, and after a restart; null takes a value back.',
    query: placeQuery,
    body: profilePatch,
    answer: { of: 'Profile' },
    errors: [400, 404],
  },
};
