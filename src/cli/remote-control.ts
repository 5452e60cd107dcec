import { z } from 'zod';
import {
  fitEstimate,
  fleetModel,
  hostView,
  job,
  profileView,
  shownModel,
} from '../ollama/control-plane-schema.ts';
import type { ModelPlace } from '../ollama/control-plane.ts';
import { toReportedError } from '../providers/openai/from-event.ts';
import { ObeliskError } from '../shared/errors.ts';
import { parseJson } from '../shared/parse-json.ts';
import { createSseReader } from '../wire/sse.ts';
import { LOCAL_CLOCKS, REMOTE_CLOCKS } from '../wire/upstream.ts';
import type { Clocks } from '../wire/upstream.ts';
import type { Controlling } from './controlling.ts';
import { createRemoteExchange, notOurs } from './remote-exchange.ts';
import type { RemoteExchange, RemoteOptions, RemoteRequest } from './remote-exchange.ts';

/** A job lasts as long as it lasts, but the server gives a sign of life every few seconds. */
const WATCH_CLOCKS: Clocks = { ...REMOTE_CLOCKS, totalMs: 7 * 86_400_000 };
/** What the server asks its hosts for can take as long as they do. */
const CLOCKS = LOCAL_CLOCKS;

const SCHEMAS = {
  hosts: z.lazy(() => listOf(hostView())),
  host: z.lazy(hostView),
  models: z.lazy(() => listOf(fleetModel())),
  shown: z.lazy(shownModel),
  jobs: z.lazy(() => listOf(job())),
  job: z.lazy(job),
  unloaded: z.lazy(() => z.object({ hosts: z.array(z.string()) })),
  profiles: z.lazy(() => listOf(profileView())),
  profile: z.lazy(profileView),
  fit: z.lazy(() => listOf(fitEstimate())),
};

/** Controls a running server over its management routes. */
export function createRemoteControl(options: RemoteOptions): Controlling {
  const exchange = createRemoteExchange(options);
  return {
    ...hostCalls(exchange),
    ...jobCalls(exchange),
    ...modelCalls(exchange),
    ...profileCalls(exchange),
    close: () => options.client.close(),
  };
}

function hostCalls({ read }: RemoteExchange): Pick<Controlling, 'hosts' | 'drain'> {
  return {
    hosts: async () => (await read(get('/ollama/hosts'), SCHEMAS.hosts)).data,
    drain: (host, draining) =>
      read(change('PATCH', `/ollama/hosts/${encodeURIComponent(host)}`, { draining }), SCHEMAS.host),
  };
}

function jobCalls(
  exchange: RemoteExchange,
): Pick<Controlling, 'startJob' | 'jobs' | 'job' | 'cancelJob' | 'watchJob'> {
  const { read, send } = exchange;
  const pathOf = (id: string): string => `/ollama/jobs/${encodeURIComponent(id)}`;
  return {
    async startJob(spec) {
      const response = await send(change('POST', '/ollama/jobs', spec));
      const text = (await response.bytes(1024 * 1024)).toString('utf8');
      const parsed = SCHEMAS.job.safeParse(parseJson(text));
      if (!parsed.success) throw notOurs(`${exchange.url}/ollama/jobs`);
      return { job: parsed.data, joined: response.status === 200 };
    },
    jobs: async () => (await read(get('/ollama/jobs'), SCHEMAS.jobs)).data,
    job: (id) => read(get(pathOf(id)), SCHEMAS.job),
    cancelJob: (id) => read({ ...get(pathOf(id)), method: 'DELETE' }, SCHEMAS.job),
    watchJob: (id, signal) =>
      watch(exchange, { path: `/ollama/job-events/${encodeURIComponent(id)}`, schema: SCHEMAS.job }, signal),
  };
}

function modelCalls({
  read,
  send,
}: RemoteExchange): Pick<Controlling, 'models' | 'show' | 'copy' | 'remove' | 'unload' | 'fit'> {
  return {
    models: async () => (await read(get('/ollama/models'), SCHEMAS.models)).data,
    show: (model, at) => read(get(`/ollama/models/${nameInPath(model)}${queryOf(at)}`), SCHEMAS.shown),
    async copy(source, destination, at) {
      await drop(send(change('POST', '/ollama/copy', { source, destination, ...at })));
    },
    async remove(model, at) {
      const path = `/ollama/models/${nameInPath(model)}${queryOf(at)}`;
      await drop(send({ ...get(path), method: 'DELETE' }));
    },
    unload: async (model, at) =>
      (await read(change('POST', '/ollama/unload', { model, ...at }), SCHEMAS.unloaded)).hosts,
    fit: async (model, ask) =>
      (await read(get(`/ollama/fit/${nameInPath(model)}${queryOf(ask)}`), SCHEMAS.fit)).data,
  };
}

function profileCalls({ read }: RemoteExchange): Pick<Controlling, 'profiles' | 'profile' | 'patchProfile'> {
  const pathOf = (model: string, at: ModelPlace | undefined): string =>
    `/ollama/profiles/${nameInPath(model)}${queryOf(at)}`;
  return {
    profiles: async () => (await read(get('/ollama/profiles'), SCHEMAS.profiles)).data,
    profile: (model, at) => read(get(pathOf(model, at)), SCHEMAS.profile),
    patchProfile: (model, patch, at) => read(change('PATCH', pathOf(model, at), patch), SCHEMAS.profile),
  };
}

/** Reads server-sent events; an error among them ends the watching with it. */
async function* watch<Event>(
  exchange: RemoteExchange,
  feed: { readonly path: string; readonly schema: z.ZodType<Event> },
  signal: AbortSignal,
): AsyncGenerator<Event> {
  const response = await exchange.send({ path: feed.path, method: 'GET', clocks: WATCH_CLOCKS }, signal);
  let texts: string[] = [];
  const reader = createSseReader({ onEvent: (event) => texts.push(event.data) });
  for await (const bytes of response.body) {
    reader.feed(bytes);
    const ready = texts;
    texts = [];
    for (const text of ready) yield toEvent(exchange, feed, text);
  }
}

function toEvent<Event>(
  { url }: RemoteExchange,
  { path, schema }: { readonly path: string; readonly schema: z.ZodType<Event> },
  text: string,
): Event {
  const json = parseJson(text);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw toReportedError(json) ?? notOurs(`${url}${path}`);
}

function listOf<Item>(item: z.ZodType<Item>): z.ZodType<{ readonly data: readonly Item[] }> {
  return z.object({ data: z.array(item) });
}

function get(path: string): RemoteRequest {
  return { method: 'GET', path, clocks: CLOCKS };
}

function change(method: 'POST' | 'PATCH', path: string, body: object): RemoteRequest {
  return { method, path, body: JSON.stringify(body), clocks: CLOCKS };
}

/** Its slashes stay: the path is made for them. */
function nameInPath(model: string): string {
  if (model.trim() === '') throw new ObeliskError('invalid_request', 'write the name of a model');
  return model.split('/').map(encodeURIComponent).join('/');
}

function queryOf(values: object | undefined): string {
  const query = new URLSearchParams(
    Object.entries(values ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return query === '' ? '' : `?${query}`;
}

async function drop(sent: ReturnType<RemoteExchange['send']>): Promise<void> {
  await (await sent).bytes(64 * 1024);
}
