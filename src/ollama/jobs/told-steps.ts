import type { OllamaProgress } from '../api/pull-progress.ts';

/**
 * Turns work that tells of its steps into the steps, and its result. Only the latest step is kept for
 * whoever is slower than the work. Whoever leaves the steps early is told nothing more: it ends the
 * work itself.
 * @throws what the work throws.
 */
export async function* toldSteps<T>(
  work: (tell: (step: OllamaProgress) => void) => Promise<T>,
): AsyncGenerator<OllamaProgress, T, undefined> {
  let wake = (): void => undefined;
  let latest: OllamaProgress | undefined;
  let settled: (() => T) | undefined;
  const settle = (result: () => T): void => {
    settled = result;
    wake();
  };
  const tell = (step: OllamaProgress): void => {
    latest = step;
    wake();
  };
  void work(tell).then(
    (value) => settle(() => value),
    (error: unknown) =>
      settle(() => {
        throw error;
      }),
  );
  for (;;) {
    if (settled !== undefined) return settled();
    const step = latest;
    latest = undefined;
    if (step !== undefined) yield step;
    else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}
