/** `litellm_params.model`, taken apart. */
export type ProviderName = {
  readonly provider: string;
  /** The provider's own name of the model. */
  readonly model: string;
};

/** How Obelisk reaches a provider of LiteLLM's. */
export type ProviderReach =
  | { readonly kind: 'ollama' }
  | { readonly kind: 'litellm' }
  /** Speaks OpenAI's dialect; `baseUrl` where the provider has a well-known one. */
  | { readonly kind: 'openai'; readonly baseUrl?: string }
  /** Has a dialect of its own that Obelisk does not speak yet. */
  | { readonly kind: 'foreign' };

const OPENAI: ProviderReach = { kind: 'openai' };
const FOREIGN: ProviderReach = { kind: 'foreign' };

const REACH: ReadonlyMap<string, ProviderReach> = new Map<string, ProviderReach>([
  ['ollama', { kind: 'ollama' }],
  ['ollama_chat', { kind: 'ollama' }],
  ['litellm_proxy', { kind: 'litellm' }],
  ['openai', { kind: 'openai', baseUrl: 'https://api.openai.com/v1' }],
  // These speak OpenAI's dialect at a URL that only the configuration knows.
  ...[
    'custom_openai',
    'openai_like',
    'hosted_vllm',
    'vllm',
    'lm_studio',
    'llamafile',
    'xinference',
    'docker_model_runner',
    'nvidia_nim',
    'groq',
    'deepseek',
    'mistral',
    'openrouter',
    'together_ai',
    'fireworks_ai',
    'perplexity',
    'xai',
    'cerebras',
    'deepinfra',
  ].map((name): [string, ProviderReach] => [name, OPENAI]),
  ...[
    'azure',
    'azure_ai',
    'anthropic',
    'gemini',
    'vertex_ai',
    'bedrock',
    'sagemaker',
    'cohere',
    'cohere_chat',
    'huggingface',
    'replicate',
    'watsonx',
    'databricks',
    'text-completion-openai',
    'triton',
    'voyage',
    'jina_ai',
  ].map((name): [string, ProviderReach] => [name, FOREIGN]),
]);

/** Names without a provider that LiteLLM takes for OpenAI's. */
const OPENAI_NAME = /^(?:gpt-|chatgpt-|o[134](?:-|$)|text-embedding-|dall-e-|ft:gpt-)/;

/**
 * Takes `litellm_params.model` apart. A prefix counts only when it is a provider's name: what an
 * OpenAI-compatible server calls `org/model` stays whole.
 */
export function parseProviderName(text: string): ProviderName | undefined {
  const slash = text.indexOf('/');
  const prefix = slash < 0 ? '' : text.slice(0, slash);
  if (REACH.has(prefix)) return { provider: prefix, model: text.slice(slash + 1) };
  return OPENAI_NAME.test(text) ? { provider: 'openai', model: text } : undefined;
}

/** Says how Obelisk reaches a provider that `parseProviderName` found. */
export function reachOf(provider: string): ProviderReach {
  return REACH.get(provider) ?? FOREIGN;
}
