import type { AnswerTiming } from '../providers/chat.ts';

/** Header that says where the time of an answer in one piece went. */
export const TIMING_HEADER = 'x-obelisk-timing';

/** Writes a timing as `Server-Timing` has it (durations in milliseconds). */
export function toTimingHeader({ queueMs = 0, loadMs, promptMs, generationMs }: AnswerTiming): string {
  const parts = { queue: queueMs, load: loadMs, prompt: promptMs, generation: generationMs };
  return Object.entries(parts)
    .map(([name, ms]) => `${name};dur=${Number(ms.toFixed(1))}`)
    .join(', ');
}
