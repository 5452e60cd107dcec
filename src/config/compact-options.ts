import type { HardwareFile, OverridesFile } from './config-file.ts';

/** Runner options without those that are not set. */
export function compactHardware(options: HardwareFile): Readonly<Record<string, number | boolean>> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** The same for every model. */
export function compactOverrides(
  overrides: OverridesFile,
): Readonly<Record<string, Readonly<Record<string, number | boolean>>>> {
  return Object.fromEntries(
    Object.entries(overrides).map(([model, options]) => [model, compactHardware(options)]),
  );
}
