import { ollamaModelKey } from '../../shared/ollama-model-name.ts';

/** A model, and what of it Ollama loads. */
export type WeighedModel = {
  readonly name: string;
  /** Digest of the manifest; empty when the server did not say. */
  readonly digest: string;
  /** Digests of the files that are loaded; absent when the server did not say. */
  readonly weights?: string;
};

/** Names that come and go, of models made for an hour, are not kept for ever. */
const MOST_NAMES = 4_096;

/**
 * Which names on a host stand for the same weights: a copy, and a model that was made from another one.
 * What was once known of a name is kept when the name is gone, since its runner may still be there.
 */
export class KnownWeights {
  /** By base URL, then by key of the name. */
  readonly #hosts = new Map<string, Map<string, string>>();

  /** What a model is known by: its weights, else its name. No name of a model has a space. */
  keyOf(url: string, model: string): string {
    const name = ollamaModelKey(model);
    const weights = this.#hosts.get(url)?.get(name);
    return weights === undefined ? name : `weights ${weights}`;
  }

  note(url: string, models: Iterable<WeighedModel>): void {
    const known = this.#hosts.get(url) ?? new Map<string, string>();
    if (known.size > MOST_NAMES) known.clear();
    for (const model of models) {
      const weights = weightsOf(model);
      if (weights !== undefined) known.set(ollamaModelKey(model.name), weights);
    }
    this.#hosts.set(url, known);
  }

  /** Forgets a host. */
  forget(url: string): void {
    this.#hosts.delete(url);
  }
}

/** What two names of the same weights have in common; undefined when the server did not say. */
export function weightsOf({ weights, digest }: WeighedModel): string | undefined {
  return weights ?? (digest === '' ? undefined : digest);
}
