import type { OllamaProgress } from '../api/pull-progress.ts';

/**
 * Turns work that tells of its steps into the steps, and its result. Only the latest step is kept for
 * whoever is slower than the work.
 * @throws what the work throws.
 */
export async function* toldSteps<T>(
  work: (tell: (step: OllamaProgress) => void) => Promise<T>,
): AsyncGenerator<OllamaProgress, T, undefined> {
  const state = { over: false, wake: (): void => undefined };
  let latest: OllamaProgress | undefined;
  const result = work((step) => {
    latest = step;
    state.wake();
  }).finally(() => {
    state.over = true;
    state.wake();
  });
  // Its end is waited for below; until then nobody else may miss that it failed.
  result.catch(() => undefined);
  while (!state.over) {
    const step = latest;
    latest = undefined;
    if (step !== undefined) yield step;
    else {
      await new Promise<void>((resolve) => {
        state.wake = resolve;
      });
    }
  }
  return await result;
}
