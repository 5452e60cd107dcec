import type { ProfileSource } from '../control-plane.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';

/** What one place says of a profile; what it does not say is left to weaker places. */
export type ProfileValues = {
  readonly options: RunnerOptions;
  /** Seconds; negative means for ever. */
  readonly keepAlive?: number;
  /** Names of options that a request may set itself. */
  readonly requestOptions?: readonly string[];
};

/** What one place says, and which kind of place it is. */
export type ProfileLayer = { readonly source: ProfileSource; readonly values: ProfileValues };

/** Whether nothing is said. */
export function isEmptyValues({ options, keepAlive, requestOptions }: ProfileValues): boolean {
  return Object.keys(options).length === 0 && keepAlive === undefined && requestOptions === undefined;
}

/**
 * Reads options as the configuration writes them, where `keep_alive` stands among them, in seconds.
 */
export function valuesOfHardware(hardware: RunnerOptions): ProfileValues {
  const { keep_alive: keepAlive, ...options } = hardware;
  return { options, ...(typeof keepAlive === 'number' ? { keepAlive } : {}) };
}

/** All layers as one: a later one wins over those before it, option by option. */
export type MergedValues = {
  readonly options: Readonly<
    Record<string, { readonly value: number | boolean; readonly source: ProfileSource }>
  >;
  readonly keepAlive?: number;
  readonly requestOptions: readonly string[];
};

/** Lays the layers over each other, the weakest first. */
export function mergeLayers(layers: readonly ProfileLayer[]): MergedValues {
  const options: Record<string, { value: number | boolean; source: ProfileSource }> = {};
  let keepAlive: number | undefined;
  let requestOptions: readonly string[] = [];
  for (const { source, values } of layers) {
    for (const [name, value] of Object.entries(values.options)) options[name] = { value, source };
    keepAlive = values.keepAlive ?? keepAlive;
    requestOptions = values.requestOptions ?? requestOptions;
  }
  return { options, requestOptions, ...(keepAlive === undefined ? {} : { keepAlive }) };
}
