import { setTimeout as sleep } from 'node:timers/promises';

import { messageOf, ObeliskError } from '../../shared/errors.ts';
import { nearest } from '../../shared/nearest.ts';
import { ollamaModelName } from '../../shared/ollama-model-name.ts';

import type { OllamaRunning } from '../api/api-types.ts';
import { runnerOf } from '../api/runner-of.ts';
import type { ControlPlane, ModelPlace } from '../control-plane.ts';
import type { FleetHost } from './fleet-host.ts';
import type { OllamaFleet } from './fleet.ts';
import type { HostBooks } from '../queue/host-books.ts';

/** How often, and how many milliseconds apart, it is looked whether a model has left the memory. */
const GONE_LOOKS = 20;
const GONE_EVERY_MS = 50;

/** What is done to installed models, on the host that is named or on every host that has them. */
export type FleetModels = Pick<ControlPlane, 'show' | 'copy' | 'remove' | 'unload'>;

/** Creates what is done to the models of a fleet. */
export function createFleetModels({
  fleet,
  books,
}: {
  readonly fleet: OllamaFleet;
  readonly books: HostBooks;
}): FleetModels {
  return {
    async show(model, { verbose, ...at } = {}) {
      const [holder] = await holdersOf(fleet, model, at);
      const body = { model: nameAt(holder, model), ...(verbose === true ? { verbose } : {}) };
      return { ...(await holder.client.show(body)), name: ollamaModelName(model), host: holder.name };
    },
    async copy(source, destination, at) {
      const holders = await holdersOf(fleet, source, at);
      await onEach(holders, (host) => host.client.copy(nameAt(host, source), destination));
    },
    async remove(model, at) {
      const holders = await holdersOf(fleet, model, at);
      await onEach(holders, async (host) => {
        const name = nameAt(host, model);
        // Its runner would stay in memory until its time is over, without a name to end it by.
        const isListed = host.discovery.running().some((one) => one.name === name);
        if (isListed) await host.client.unload(name);
        await host.client.remove(name);
        if (isListed) books.peek(host.url, model)?.noteUnloaded();
      });
    },
    async unload(model, at) {
      const hosts = at?.host === undefined ? fleet.hosts.filter(isUp) : [fleet.host(at.host)];
      const unloaded: string[] = [];
      await onEach(hosts, async (host) => {
        const running = await runnerAt(model, host);
        if (running === undefined) return;
        // By the name that is asked for: the other may have been deleted while it was loaded.
        await host.client.unload(nameAt(host, model));
        const isGone = await untilGone(model, host);
        for (const name of isGone ? [model, running.name] : []) books.peek(host.url, name)?.noteUnloaded();
        unloaded.push(host.name);
      });
      if (unloaded.length === 0) await holdersOf(fleet, model, at);
      return unloaded;
    },
  };
}

async function runnerAt(model: string, { client, discovery }: FleetHost): Promise<OllamaRunning | undefined> {
  return runnerOf(model, await client.ps(), discovery.model(model)?.digest);
}

/**
 * Ollama lists a runner that it is ending for a moment longer, and one that still answers until it has.
 * False where it is there after all that is waited: later looks find it gone.
 */
async function untilGone(model: string, host: FleetHost): Promise<boolean> {
  for (let looks = 0; looks < GONE_LOOKS; looks += 1) {
    if ((await runnerAt(model, host)) === undefined) return true;
    await sleep(GONE_EVERY_MS);
  }
  return false;
}

/** As the host lists it, where it does. */
function nameAt({ discovery }: FleetHost, model: string): string {
  return discovery.model(model)?.name ?? ollamaModelName(model);
}

/** At least one host. */
export type Holders = readonly [FleetHost, ...FleetHost[]];

/**
 * The hosts that have a model, those included that may not serve it; a host that is named is asked
 * whatever is known of it.
 * @throws ObeliskError `model_not_found`, `not_found` for the host, `model_unavailable` where every host
 *   that might have it is away.
 */
export async function holdersOf(
  fleet: OllamaFleet,
  model: string,
  { host }: ModelPlace = {},
): Promise<Holders> {
  if (host !== undefined) return [fleet.host(host)];
  const find = (): readonly FleetHost[] =>
    fleet.hosts.filter(({ discovery }) => discovery.model(model) !== undefined);
  let [first, ...more] = find();
  if (first === undefined) {
    // It may have come since the last look.
    await fleet.refresh();
    [first, ...more] = find();
  }
  if (first !== undefined) return [first, ...more];
  throw notFound(fleet, model);
}

function notFound(fleet: OllamaFleet, model: string): ObeliskError {
  const away = fleet.hosts.filter(
    ({ discovery }) => discovery.wasSeen(model) || discovery.state().kind !== 'up',
  );
  const seen = away.find(({ discovery }) => discovery.wasSeen(model));
  if (seen !== undefined) {
    return new ObeliskError('model_unavailable', `${seen.name}, which has ${model}, is away; start it`);
  }
  const known = fleet.hosts.flatMap(({ discovery }) =>
    discovery.models().map(({ name }) => name.replace(/:latest$/, '')),
  );
  const [closest] = nearest(model, known, 1);
  const meant =
    closest === undefined ? `; get it with: obelisk models pull ${model}` : `; did you mean ${closest}?`;
  const awayNames = away.map(({ name }) => name).join(', ');
  const unseen = awayNames === '' ? '' : ` (not looked at, because they are away: ${awayNames})`;
  return new ObeliskError('model_not_found', `no host of Ollama has the model ${model}${unseen}${meant}`, {
    param: 'model',
  });
}

function isUp({ discovery }: FleetHost): boolean {
  return discovery.state().kind === 'up';
}

/** What other requests see is so at once, instead of at the next look. */
async function lookAgain(hosts: readonly FleetHost[]): Promise<void> {
  await Promise.all(hosts.map(({ discovery }) => discovery.lookAgain()));
}

/**
 * Does it on every host whatever the others say, and looks at what has become of it; where only some
 * could, the error names who did.
 */
async function onEach(hosts: readonly FleetHost[], act: (host: FleetHost) => Promise<void>): Promise<void> {
  const settled = await Promise.allSettled(hosts.map(act));
  await lookAgain(hosts);
  const failed = settled.flatMap((one) => (one.status === 'rejected' ? [toError(one.reason)] : []));
  const [error] = failed;
  if (error === undefined) return;
  const done = hosts.filter((_, index) => settled[index]?.status === 'fulfilled').map(({ name }) => name);
  if (done.length === 0 || !(error instanceof ObeliskError)) throw error;
  throw new ObeliskError(error.code, `${error.message} (done on ${done.join(', ')})`, { cause: error });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(messageOf(reason));
}
