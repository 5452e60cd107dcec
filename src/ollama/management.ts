import type { OllamaRunning, OllamaShow } from './api-types.ts';
import type { OllamaClient } from './client.ts';
import type { OllamaDiscovery } from './discovery.ts';
import type { OllamaHosts } from './hosts.ts';
import type { OllamaModel } from './model-facts.ts';
import { effectiveOptions, servedContext } from './prepare.ts';
import type { OllamaHardware, OllamaTarget } from './prepare.ts';
import type { OllamaProgress } from './pull-progress.ts';

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
  /** `model.pull`: the steps of the download; leaving the loop cancels it. */
  pull(model: string, signal: AbortSignal): AsyncIterable<OllamaProgress>;
  /** `model.delete`. */
  remove(model: string, signal?: AbortSignal): Promise<void>;
  /** `model.copy`. */
  copy(source: string, destination: string, signal?: AbortSignal): Promise<void>;
};

/** Creates the operations on the models of the host that was found. */
export function createOllamaManagement(options: {
  readonly client: OllamaClient;
  readonly discovery: OllamaDiscovery;
  readonly hosts: OllamaHosts;
  readonly hardware: OllamaHardware;
}): OllamaManagement {
  const { client, discovery, hosts } = options;
  return {
    async list() {
      await discovery.refresh();
      return discovery.models();
    },
    show: (model, signal) => client.show(model, signal),
    running: (signal) => client.ps(signal),
    async hardware(model, signal) {
      const target = { baseUrl: client.url, model, defaults: {} };
      const facts = { model: await hosts.describe(target, signal), hardware: options.hardware };
      return effectiveOptions(target, facts, {}).options;
    },
    contextWindow(target) {
      const model = target.baseUrl === discovery.url ? discovery.model(target.model) : undefined;
      return servedContext(target, { model, hardware: options.hardware });
    },
    async *pull(model, signal) {
      yield* client.pull(model, signal);
      await discovery.refresh();
    },
    async remove(model, signal) {
      await client.remove(model, signal);
      await discovery.refresh();
    },
    async copy(source, destination, signal) {
      await client.copy(source, destination, signal);
      await discovery.refresh();
    },
  };
}
