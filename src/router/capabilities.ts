/** What a provider can do, known at run time (design document, decision 4). */
export type ProviderCapabilities = {
  /** Answers arrive while they are written. */
  readonly supportsStreaming: boolean;
  /** Models are listed, shown, pulled, copied and deleted. */
  readonly supportsModelManagement: boolean;
  /** Runner options (`num_ctx`, `num_gpu`…) have an effect. */
  readonly supportsHardwareConfig: boolean;
  /** A failed request is tried again. */
  readonly supportsRetry: boolean;
  /** A failed request is tried with another model. */
  readonly supportsFallback: boolean;
  /** Requests for one name are spread over its deployments. */
  readonly supportsLoadBalancing: boolean;
};

/** Kinds of provider that a caller can hold: the gateway, Ollama, or a LiteLLM proxy behind the gateway. */
export type ProviderKind = 'gateway' | 'ollama' | 'litellm';

const NONE: ProviderCapabilities = {
  supportsStreaming: false,
  supportsModelManagement: false,
  supportsHardwareConfig: false,
  supportsRetry: false,
  supportsFallback: false,
  supportsLoadBalancing: false,
};

/** What each kind of provider does today: a capability is claimed by the change that builds it. */
const BY_KIND: Readonly<Record<ProviderKind, ProviderCapabilities>> = {
  gateway: { ...NONE, supportsStreaming: true, supportsRetry: true, supportsLoadBalancing: true },
  ollama: { ...NONE, supportsStreaming: true, supportsModelManagement: true, supportsHardwareConfig: true },
  // A LiteLLM proxy retries, falls back and balances by its own configuration.
  litellm: {
    ...NONE,
    supportsStreaming: true,
    supportsRetry: true,
    supportsFallback: true,
    supportsLoadBalancing: true,
  },
};

/** Says what a kind of provider can do. */
export function capabilitiesOf(kind: ProviderKind): ProviderCapabilities {
  return BY_KIND[kind];
}
