/** What Ollama loads at once on a machine without GPUs, or with one, unless told otherwise. */
const USUAL_MODELS = 3;

/**
 * How many models a host keeps loaded at once. Ollama tells nobody (its OLLAMA_MAX_LOADED_MODELS, or
 * what fits), so it is learned: more were seen at once, or one had to go when so many were there.
 */
export class ModelLimit {
  models: number = USUAL_MODELS;
  #evictions = 0;

  /** Notes a look: how many were loaded or loading, and how many have been evicted so far. */
  note(loaded: number, evictions: number): void {
    if (evictions > this.#evictions) this.models = Math.max(1, loaded);
    else if (loaded > this.models) this.models = loaded;
    this.#evictions = evictions;
  }
}
