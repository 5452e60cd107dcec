import { OLLAMA_MODEL_NAME } from '../shared/ollama-model-name.ts';

/** Says why a text cannot name a model of Ollama's, or undefined when it can. */
export function modelNameProblem(name: string): string | undefined {
  return OLLAMA_MODEL_NAME.test(name)
    ? undefined
    : 'must be the name of a model, such as llama3 or llama3:8b';
}

/** Says why a text cannot name a registry, or undefined when it can. */
export function registryProblem(name: string): string | undefined {
  return /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(name)
    ? undefined
    : 'must be the host of a registry, without scheme or path, such as registry.ollama.ai or 10.0.0.5:5000';
}
