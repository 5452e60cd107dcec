import type { OllamaRunning, OllamaShow } from './api/api-types.ts';
import type { OllamaClient } from './api/client.ts';
import type { FleetHost } from './fleet/fleet-host.ts';
import type { OllamaFleet } from './fleet/fleet.ts';
import type { OllamaHosts, OllamaTarget } from './fleet/hosts.ts';
import type { OllamaModel } from './fleet/model-facts.ts';
import { transferBody } from './jobs/model-reference.ts';
import type { RegistryRules } from './jobs/model-reference.ts';
import { profileOf, servedContext } from './prepare.ts';
import type { OllamaProfiles } from './profiles/profiles.ts';
import type { OllamaProgress } from './api/pull-progress.ts';

/** The operations that only Ollama has: `model.*` and `hardware`, without the gateway in between. */
export type OllamaManagement = {
  /** `model.list`: the installed models, looked up now. */
  list(): Promise<readonly OllamaModel[]>;
  /** `model.show`. */
  show(model: string, signal?: AbortSignal): Promise<OllamaShow>;
  /** The loaded models. */
  running(signal?: AbortSignal): Promise<readonly OllamaRunning[]>;
  /** `hardware`: the runner options that travel with every request for the model. */
  hardware(model: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>>;
  /**
   * Context window in tokens that a deployment is served with, which may be far less than the model was
   * trained for; undefined for a model that was not found at this host.
   */
  readonly contextWindow: (target: OllamaTarget) => number | undefined;
  /** `model.pull`: the steps of the download, from a registry that is allowed; leaving the loop cancels it. */
  pull(model: string, signal: AbortSignal): AsyncIterable<OllamaProgress>;
  /** `model.delete`. */
  remove(model: string, signal?: AbortSignal): Promise<void>;
  /** `model.copy`. */
  copy(source: string, destination: string, signal?: AbortSignal): Promise<void>;
};

/** Creates the operations on the models of a fleet: each at the first host that has the model. */
export function createOllamaManagement(options: {
  readonly fleet: OllamaFleet;
  readonly hosts: OllamaHosts;
  readonly profiles: Pick<OllamaProfiles, 'of'>;
  readonly rules: RegistryRules;
}): OllamaManagement {
  const { fleet, hosts, profiles, rules } = options;
  const holder = (model: string): FleetHost => firstOf(fleet.find(model)?.hosts ?? fleet.hosts);
  const clientOf = (model: string): OllamaClient => holder(model).client;
  return {
    async list() {
      await fleet.refresh();
      return fleet.models().map(({ model }) => model);
    },
    show: (model, signal) => clientOf(model).show(model, signal),
    async running(signal) {
      return (await Promise.all(fleet.hosts.map(({ client }) => client.ps(signal)))).flat();
    },
    async hardware(model, signal) {
      const target = { baseUrl: holder(model).url, model, defaults: {} };
      return profileOf(target, { model: await hosts.describe(target, signal), profiles }).runner;
    },
    contextWindow(target) {
      const model = fleet.at(target.baseUrl)?.discovery.model(target.model);
      return servedContext(target, { model, profiles });
    },
    async *pull(model, signal) {
      yield* clientOf(model).pull(transferBody(model, rules, undefined), signal);
      await fleet.lookAgain();
    },
    async remove(model, signal) {
      await clientOf(model).remove(model, signal);
      await fleet.lookAgain();
    },
    async copy(source, destination, signal) {
      await clientOf(source).copy(source, destination, signal);
      await fleet.lookAgain();
    },
  };
}

function firstOf(hosts: readonly FleetHost[]): FleetHost {
  const [first] = hosts;
  if (first === undefined) throw new TypeError('a fleet has a host');
  return first;
}
