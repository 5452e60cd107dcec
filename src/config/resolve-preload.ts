import type { PreloadFile } from './config-file.ts';
import { WEEK_DAYS } from './ollama-schema.ts';
import type { PreloadSettings } from '../shared/ollama-hosts.ts';

/** Models to load ahead, with days as numbers. */
export function resolvePreload(entries: readonly PreloadFile[]): readonly PreloadSettings[] {
  return entries.map(({ model, hosts, at, days, keep_alive: keepAlive }) => ({
    model,
    ...(hosts === undefined ? {} : { hosts }),
    ...(at === undefined ? {} : { at }),
    ...(days === undefined
      ? {}
      : { days: WEEK_DAYS.flatMap((day, index) => (days.includes(day) ? [index] : [])) }),
    ...(keepAlive === undefined ? {} : { keepAlive }),
  }));
}
