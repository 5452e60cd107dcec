import type { ProviderMode } from '../config/settings.ts';

/** What is asked for. */
export type Operation =
  | 'chat'
  | 'completion'
  | 'embedding'
  | 'model.list'
  | 'model.show'
  | 'model.pull'
  | 'model.push'
  | 'model.create'
  | 'model.delete'
  | 'model.copy'
  | 'hardware';

/** Who serves an operation: the gateway (in process), or Ollama directly. */
export type ProviderId = 'gateway' | 'ollama';

/** What a caller may insist on. */
export type ProviderHint = 'ollama' | 'litellm';

/** Where the gateway takes a model from: `model_list`, the Ollama that was found, or a LiteLLM proxy. */
export type Backend = 'configured' | 'ollama' | 'litellm';

/** What the choice depends on besides the operation. */
export type SelectionFacts = {
  readonly mode: ProviderMode;
  readonly hint?: ProviderHint | undefined;
  readonly model?: string | undefined;
  /** Whether a LiteLLM proxy is configured as a backend. */
  readonly hasLitellm: boolean;
};

/** Who serves an operation, and why. */
export type Selection = {
  readonly provider: ProviderId;
  /** Backends of the gateway in the order they are asked for the model; empty where it is not the gateway. */
  readonly backends: readonly Backend[];
  /** One sentence for people. */
  readonly reason: string;
};

const DIRECT: ReadonlySet<string> = new Set<Operation>([
  'model.list',
  'model.show',
  'model.pull',
  'model.push',
  'model.create',
  'model.delete',
  'model.copy',
  'hardware',
]);

/** Names that only a cloud has; `smart` asks the proxy first for them. */
const CLOUD_NAME =
  /^(?:gpt-\d|gpt-4o|chatgpt-|o[134](?:-|$)|claude-|gemini-|text-embedding-)|^(?:openai|azure|anthropic|gemini|vertex_ai|bedrock|groq|mistral|deepseek|openrouter|together_ai|xai)\//;

/**
 * Chooses who serves an operation (design document, decision 2): every completion and embedding
 * goes through the gateway, model management and hardware to Ollama directly, what is unknown to
 * the gateway. A hint confines a completion to one backend, a mode orders them; neither moves an
 * operation that only Ollama has.
 */
export function selectProvider(operation: string, facts: SelectionFacts): Selection {
  if (DIRECT.has(operation)) {
    return { provider: 'ollama', backends: [], reason: `only Ollama has ${operation}` };
  }
  return { provider: 'gateway', ...selectBackends(facts) };
}

function selectBackends(facts: SelectionFacts): Omit<Selection, 'provider'> {
  const confined = confinedTo(facts);
  if (confined !== undefined) return confined;
  const order = orderOf(facts);
  const backends: readonly Backend[] = ['configured', ...order];
  return {
    backends: facts.hasLitellm ? backends : backends.filter((backend) => backend !== 'litellm'),
    reason: `mode ${facts.mode}`,
  };
}

function confinedTo({
  hint,
  model = '',
  hasLitellm,
}: SelectionFacts): Omit<Selection, 'provider'> | undefined {
  if (hint === 'ollama') return { backends: ['ollama'], reason: 'the caller asked for Ollama' };
  if (hint === 'litellm' && hasLitellm) {
    return { backends: ['litellm'], reason: 'the caller asked for LiteLLM' };
  }
  if (hint === 'litellm') {
    return {
      backends: ['configured', 'ollama'],
      reason: 'no LiteLLM proxy is configured: the gateway takes its place',
    };
  }
  if (isOllamaPrefixed(model)) return { backends: ['configured', 'ollama'], reason: 'the name says ollama/' };
  if (model.startsWith(LITELLM_PREFIX)) {
    return { backends: ['configured', 'litellm'], reason: 'the name says litellm_proxy/' };
  }
  return undefined;
}

function orderOf({ mode, model = '' }: SelectionFacts): readonly Backend[] {
  const proxyFirst = mode === 'litellm' || (mode === 'smart' && CLOUD_NAME.test(model));
  return proxyFirst ? ['litellm', 'ollama'] : ['ollama', 'litellm'];
}

/** Prefix of names that a LiteLLM proxy serves. */
export const LITELLM_PREFIX = 'litellm_proxy/';

/** Whether a name says that Ollama serves it, in LiteLLM's way. */
export function isOllamaPrefixed(model: string): boolean {
  return /^ollama(?:_chat)?\//.test(model);
}

/** A name without the prefix by which it says that Ollama serves it. */
export function withoutOllamaPrefix(model: string): string {
  return model.replace(/^ollama(?:_chat)?\//, '');
}

/** Writes a hint into the name of a model, so that it goes wherever the name goes. */
export function withHint(model: string, facts: Pick<SelectionFacts, 'hint' | 'hasLitellm'>): string {
  const bare = model.replace(/^(?:ollama(?:_chat)?|litellm_proxy)\//, '');
  if (facts.hint === 'ollama') return `ollama/${bare}`;
  if (facts.hint === 'litellm' && facts.hasLitellm) return `${LITELLM_PREFIX}${bare}`;
  return model;
}
