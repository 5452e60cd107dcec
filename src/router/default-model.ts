import type { Deployment } from './deployment.ts';

/** What a default is needed for. */
export type ModelKind = 'chat' | 'embedding';

/** A model that may become a default. */
export type Candidate = {
  readonly deployment: Deployment;
  /** Whether it stands in `model_list`. */
  readonly configured: boolean;
  /** When it was pulled or made, in milliseconds since the epoch. */
  readonly modifiedMs: number;
};

/**
 * Chooses the model that is used where none was named: only one that leaves nothing and is known to
 * do what is asked; first what stands in `model_list`, in its order, then Ollama's models, the one
 * pulled or made last first (it is the one its owner wanted last), equal ones by name.
 */
export function chooseDefault(kind: ModelKind, candidates: readonly Candidate[]): Deployment | undefined {
  const able = candidates.filter(
    ({ deployment }) =>
      deployment.local && deployment.mockResponse === undefined && isFor(kind, deployment.capabilities),
  );
  const configured = able.find((candidate) => candidate.configured);
  const [found] = able.filter((candidate) => !candidate.configured).sort(latestFirst);
  return (configured ?? found)?.deployment;
}

/** A chat model that also embeds is no embedding model: its vectors are poor and it is slow at it. */
function isFor(kind: ModelKind, capabilities: Deployment['capabilities']): boolean {
  if (kind === 'chat') return capabilities.chat === true;
  return capabilities.embedding === true && capabilities.chat !== true;
}

function latestFirst(a: Candidate, b: Candidate): number {
  return b.modifiedMs - a.modifiedMs || (a.deployment.modelName < b.deployment.modelName ? -1 : 1);
}
