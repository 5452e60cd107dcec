import type { OllamaRunning } from '../api/api-types.ts';
import type { RunnerOptions } from './runner-options.ts';

/** What a model is loaded with, as far as is known. */
export type Loaded = {
  /** As we sent them; absent where somebody else loaded it. */
  readonly options?: RunnerOptions;
  /** As `/api/ps` says. */
  readonly contextLength?: number;
  readonly sizeBytes: number;
  readonly vramBytes: number;
  /** RFC 3339; absent before the first look. */
  readonly expiresAt?: string;
};

/** A model as `/api/ps` lists it, with the options that we sent where it is still the same load. */
export function listedAs(running: OllamaRunning, options: RunnerOptions | undefined): Loaded {
  const { size, size_vram: vram, context_length: contextLength, expires_at: expiresAt } = running;
  return {
    sizeBytes: size ?? 0,
    vramBytes: vram ?? 0,
    ...(contextLength === undefined ? {} : { contextLength }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(options === undefined ? {} : { options }),
  };
}
