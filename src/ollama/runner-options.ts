import { isRunnerOption } from './profile.ts';

/** Runner options by name: what a model is loaded with. */
export type RunnerOptions = Readonly<Record<string, number | boolean>>;

/** What Ollama takes an option that is not sent for, where it says so. */
const UNSENT: Readonly<Record<string, number>> = { num_gpu: -1, num_thread: 0 };

/** The runner options among the options of a request. */
export function runnerOptionsOf(options: Readonly<Record<string, unknown>>): RunnerOptions {
  return Object.fromEntries(
    Object.entries(options).filter(
      (entry): entry is [string, number | boolean] =>
        isRunnerOption(entry[0]) && (typeof entry[1] === 'number' || typeof entry[1] === 'boolean'),
    ),
  );
}

/** Names of the options for which Ollama loads a model anew (its `needsReload`), sorted. */
export function changedOptions(loaded: RunnerOptions, wanted: RunnerOptions): readonly string[] {
  const names = new Set([...Object.keys(loaded), ...Object.keys(wanted)]);
  return [...names]
    .filter((name) => {
      const value = wanted[name] ?? UNSENT[name];
      // Ollama keeps the layers where they are when the request leaves them to it.
      if (name === 'num_gpu' && value === -1) return false;
      return value !== (loaded[name] ?? UNSENT[name]);
    })
    .toSorted();
}
