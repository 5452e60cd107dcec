import type { RunnerOptions } from '../queue/runner-options.ts';

/** Options that differ from those that count now; none of them is what counts now itself. */
export type Setting = RunnerOptions;

/** What counts now. */
export const NOW: Setting = {};

/** The name of a setting, the same for the same options: `num_batch=1024 num_thread=4`. */
export function settingKey(setting: Setting): string {
  const entries = Object.entries(setting).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? 'now' : entries.map(([name, value]) => `${name}=${String(value)}`).join(' ');
}
