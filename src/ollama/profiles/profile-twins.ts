import type { OllamaModel } from '../fleet/model-facts.ts';
import { weightsOf } from '../queue/known-weights.ts';
import { changedOptions } from '../queue/runner-options.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';

/** Another name of the same weights, whose requests load them with something else. */
export type ProfileTwin = {
  readonly name: string;
  /** Where. */
  readonly host: string;
  /** Names of the options that differ. */
  readonly differing: readonly string[];
};

/** What twins are found in. */
export type TwinSources<Host> = {
  /** Names of every installed model. */
  readonly names: () => readonly string[];
  readonly installed: (baseUrl: string, model: string) => OllamaModel | undefined;
  /** The runner options that travel with every request for a model. */
  readonly sent: (host: Host, model: OllamaModel) => RunnerOptions;
};

/** Finds the names with which a model would be loaded anew in turns on any of the hosts. */
export function findTwins<Host extends { readonly name: string; readonly url: string }>(
  name: string,
  hosts: readonly Host[],
  { names, installed, sent }: TwinSources<Host>,
): readonly ProfileTwin[] {
  return hosts.flatMap((host) => {
    const model = installed(host.url, name);
    const weights = model && weightsOf(model);
    if (model === undefined || weights === undefined || model.remoteHost !== undefined) return [];
    // A name is told once for each host that has it.
    return [...new Set(names())].flatMap((other) => {
      const twin = installed(host.url, other);
      if (twin === undefined || twin.name === model.name || weightsOf(twin) !== weights) return [];
      const [mine, its] = [sent(host, model), sent(host, twin)];
      const differing = [...new Set([...changedOptions(mine, its), ...changedOptions(its, mine)])];
      return differing.length === 0 ? [] : [{ name: twin.name, host: host.name, differing }];
    });
  });
}
