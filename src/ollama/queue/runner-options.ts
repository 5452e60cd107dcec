import { RUNNER_OPTIONS } from '../../shared/ollama-options.ts';

/** Runner options by name: what a model is loaded with. */
export type RunnerOptions = Readonly<Record<string, number | boolean>>;

/** Whether an option reloads the model when it differs. */
export function isRunnerOption(name: string): boolean {
  return Object.hasOwn(RUNNER_OPTIONS, name);
}

/** What a model is loaded with of an option, as Ollama takes one that is not sent. */
export function loadedValue(options: RunnerOptions, name: string): number | boolean | undefined {
  return options[name] ?? RUNNER_OPTIONS[name]?.unsent;
}

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
      const value = loadedValue(wanted, name);
      // Ollama keeps the layers where they are when the request leaves them to it.
      if (name === 'num_gpu' && value === -1) return false;
      return value !== loadedValue(loaded, name);
    })
    .toSorted();
}
