/** Parts of a name as Ollama takes it (its `types/model/name.go`): no dot at the beginning of one, so never `..`. */
const PART = '[A-Za-z0-9_][-_.A-Za-z0-9]{0,79}';
const NAMESPACE = '[A-Za-z0-9_][-_A-Za-z0-9]{0,79}';
const REGISTRY = '[A-Za-z0-9_][-_.A-Za-z0-9]{0,252}(?::\\d{1,5})?';

/** A name of a model in any spelling that Ollama takes: `[registry/][namespace/]model[:tag]`. */
export const OLLAMA_MODEL_NAME: RegExp = new RegExp(
  `^(?:(?:${REGISTRY}/)?${NAMESPACE}/)?${PART}(?::${PART})?$`,
);

/**
 * Writes a model name as Ollama's `/api/tags` prints it: the default registry and namespace
 * (`registry.ollama.ai/library/`) go, a missing tag becomes `:latest`.
 */
export function ollamaModelName(name: string): string {
  const short = name
    .trim()
    .replace(/^registry\.ollama\.ai\//i, '')
    .replace(/^library\//i, '');
  const lastPart = short.slice(short.lastIndexOf('/') + 1);
  return lastPart.includes(':') ? short : `${short}:latest`;
}

/** A key under which two spellings of one model meet; Ollama compares names without case. */
export function ollamaModelKey(name: string): string {
  return ollamaModelName(name).toLowerCase();
}

/** Whether a name is one that Ollama forwards to its cloud: `:cloud` or a tag ending `-cloud`. */
export function isOllamaCloudName(name: string): boolean {
  const tag = ollamaModelName(name).split(':').at(-1) ?? '';
  return tag === 'cloud' || tag.endsWith('-cloud');
}
