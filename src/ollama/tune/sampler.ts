import { setTimeout as sleep } from 'node:timers/promises';

import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';
import { countTokens, loadWith, measure, memoryOf } from './measure.ts';
import type { Bench } from './measure.ts';
import { settingKey } from './setting.ts';
import type { Setting } from './setting.ts';
import type { Result } from './verdict.ts';

/** What samples are taken of. */
export type SamplerOptions = {
  readonly bench: Bench;
  /** Runner options that travel with every request now; those of a setting come over them. */
  readonly baseline: RunnerOptions;
  /** Pause before a disturbed measurement is repeated, in milliseconds. */
  readonly retryMs?: number;
};

const MOST_TRIES = 3;
const RETRY_MS = 3_000;
const WARM_UP_WORDS = 16;

/** Measures one setting after the other, and loads the model anew only where the setting is another. */
export class Sampler {
  /** Samples that were taken. */
  samples = 0;
  readonly #from: SamplerOptions;
  readonly #signal: AbortSignal;
  #loaded: { readonly key: string; readonly loadMs: number } | undefined;

  constructor(from: SamplerOptions, signal: AbortSignal) {
    this.#from = from;
    this.#signal = signal;
  }

  /**
   * Measures a setting, several times where it was disturbed. One that the model refuses is a result
   * too, unless it is the base that others are compared with.
   * @throws ObeliskError `overloaded` when it is disturbed each time, and where the host is away.
   */
  async sample(setting: Setting, how: { readonly seed: number; readonly isBase: boolean }): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#measureOnce(setting, how.seed + (tries - 1) * 1_000);
      } catch (error) {
        this.#loaded = undefined;
        if (!isObeliskError(error) || this.#signal.aborted) throw error;
        if (error.code === 'overloaded' && tries < MOST_TRIES) {
          await sleep(this.#from.retryMs ?? RETRY_MS, undefined, { signal: this.#signal });
          continue;
        }
        if (how.isBase || !isOfTheModel(error)) throw explained(error);
        return { failed: error.message };
      }
    }
  }

  async #measureOnce(setting: Setting, seed: number): Promise<Result> {
    const { bench, baseline } = this.#from;
    const options = { ...baseline, ...setting };
    const key = settingKey(setting);
    let loadMs: number | undefined;
    if (this.#loaded?.key !== key) {
      // What is loaded so already, by whomever, would say nothing of how long it takes.
      if (this.#loaded === undefined) await bench.client.unload(bench.model, this.#signal);
      this.#loaded = undefined;
      loadMs = await loadWith(bench, options, this.#signal);
      await countTokens(bench, { options, words: WARM_UP_WORDS }, this.#signal);
      this.#loaded = { key, loadMs };
    }
    const turns = await measure(bench, { options, seed, loadMs: this.#loaded.loadMs }, this.#signal);
    const memory = await memoryOf(bench, this.#signal);
    this.samples += 1;
    return { ...turns, ...memory, ...(loadMs === undefined ? {} : { loadMs }) };
  }
}

/** Whether the model refused a setting; a host that is away refuses nothing. */
function isOfTheModel({ code }: ObeliskError): boolean {
  return (
    code === 'upstream_error' ||
    code === 'upstream_invalid' ||
    code === 'invalid_request' ||
    code === 'unsupported' ||
    code === 'context_length_exceeded'
  );
}

function explained(error: ObeliskError): ObeliskError {
  if (error.code !== 'overloaded') return error;
  const message = `${error.message}, each of ${MOST_TRIES} times; measure when it is idle, or keep others away from the host meanwhile`;
  return new ObeliskError('overloaded', message, { cause: error });
}
