import type { ProviderMode } from '../config/settings.ts';
import type { ChatMessage, ChatRequest, ChatWriter } from '../providers/chat.ts';
import type { OllamaManagement } from '../ollama/management.ts';
import { ObeliskError } from '../shared/errors.ts';

import { capabilitiesOf } from './capabilities.ts';
import type { ProviderCapabilities, ProviderKind } from './capabilities.ts';
import { selectProvider, withHint } from './selector.ts';
import type { ProviderHint } from './selector.ts';

/** A turn as the library takes it: OpenAI's, with text only. */
export type SimpleMessage = { readonly role: 'system' | 'user' | 'assistant'; readonly content: string };

/** What a completion may be told. */
export type CompletionOptions = {
  readonly signal?: AbortSignal;
  readonly maxTokens?: number;
  readonly temperature?: number;
  /** Ollama's options by their own names; runner options only where the profile allows them. */
  readonly options?: Readonly<Record<string, unknown>>;
};

/** A provider for one model: how it is asked and what it can do. */
export type Provider = {
  readonly kind: ProviderKind;
  /** The name by which the gateway is asked. */
  readonly model: string;
  getCapabilities(): ProviderCapabilities;
  /**
   * Answers at once.
   * @throws ObeliskError as the gateway answers it.
   */
  completion(messages: readonly SimpleMessage[], options?: CompletionOptions): Promise<string>;
  /** Answers piece by piece. Leaving the loop stops the model. Throws as `completion` does. */
  streamCompletion(messages: readonly SimpleMessage[], options?: CompletionOptions): AsyncIterable<string>;
  /** The operations on models and hardware, where `supportsModelManagement` is true. */
  readonly management?: OllamaManagement;
};

/** Gives providers by model, and the same one for the same question. */
export type ProviderFactory = {
  /**
   * Gives the provider of a model; whether the model exists is found out when it is asked.
   * @throws ObeliskError `model_not_found` when no model is named and there is no default.
   */
  getProvider(model?: string, options?: { readonly providerHint?: ProviderHint }): Provider;
};

/** What a factory is made of. */
export type ProviderFactoryOptions = {
  readonly mode: ProviderMode;
  /** Whether a LiteLLM proxy is configured. */
  readonly hasLitellm: boolean;
  /** The gateway, in process: answers a chat for any model it serves. */
  readonly chat: ChatWriter;
  /** Name of the model that is used where none is named. */
  readonly defaultModel: () => string | undefined;
  readonly management?: OllamaManagement;
};

/** Names come from callers: the cache is bounded. */
const MAX_CACHED = 256;

/** Creates a factory. Every completion goes through the gateway; only management does not. */
export function createProviderFactory(options: ProviderFactoryOptions): ProviderFactory {
  const cache = new Map<string, Provider>();
  return {
    getProvider(model, { providerHint: hint } = {}) {
      const name = model ?? options.defaultModel();
      if (name === undefined) {
        throw new ObeliskError('model_not_found', 'no model was named and there is no default; name one', {
          param: 'model',
        });
      }
      const key = `${hint ?? ''} ${name}`;
      const provider = cache.get(key) ?? createProvider({ name, hint }, options);
      if (cache.size >= MAX_CACHED) cache.clear();
      cache.set(key, provider);
      return provider;
    },
  };
}

function createProvider(
  asked: { readonly name: string; readonly hint: ProviderHint | undefined },
  options: ProviderFactoryOptions,
): Provider {
  const { management, chat } = options;
  const kind = kindOf(asked, options);
  const model = withHint(asked.name, { hint: asked.hint, hasLitellm: options.hasLitellm });
  const streamCompletion: Provider['streamCompletion'] = (messages, completion = {}) =>
    streamText(chat, { ...toRequest(model, messages, completion), stream: true }, completion.signal);
  return {
    kind,
    model,
    getCapabilities: () => capabilitiesOf(kind),
    streamCompletion,
    async completion(messages, completion = {}) {
      const request = toRequest(model, messages, completion);
      let text = '';
      for await (const piece of streamText(chat, request, completion.signal)) text += piece;
      return text;
    },
    ...(kind === 'ollama' && management !== undefined ? { management } : {}),
  };
}

/** A choice that leaves one backend is that provider; every other choice is the gateway's to make. */
function kindOf(
  asked: { readonly name: string; readonly hint: ProviderHint | undefined },
  { mode, hasLitellm }: ProviderFactoryOptions,
): ProviderKind {
  const { backends } = selectProvider('chat', { mode, hasLitellm, hint: asked.hint, model: asked.name });
  const [only, ...others] = backends;
  return others.length === 0 && (only === 'ollama' || only === 'litellm') ? only : 'gateway';
}

async function* streamText(
  chat: ChatWriter,
  request: ChatRequest,
  signal: AbortSignal | undefined,
): AsyncIterable<string> {
  const stop = new AbortController();
  try {
    const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    for await (const event of chat(request, { signal: both })) {
      if (event.type === 'text-delta' && event.text !== '') yield event.text;
    }
  } finally {
    stop.abort();
  }
}

function toRequest(
  model: string,
  messages: readonly SimpleMessage[],
  options: CompletionOptions,
): ChatRequest {
  return {
    model,
    messages: messages.map(({ role, content }): ChatMessage => ({ role, text: content })),
    stream: false,
    includeUsage: false,
    options: options.options ?? {},
    ...(options.maxTokens === undefined ? {} : { maxTokens: options.maxTokens }),
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
  };
}
