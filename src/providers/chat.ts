import type { Clocks } from '../wire/upstream.ts';

/**
 * A chat in no provider's dialect: what a request means and what comes back. Dialects translate
 * to and from these types; requests that keep their dialect end to end never become one.
 */

/** A tool call of an assistant. `arguments` is JSON text, as OpenAI has it. */
export type ToolCall = { readonly id: string; readonly name: string; readonly arguments: string };

/** An image of a user's turn. */
export type ImagePart = { readonly mediaType: string; readonly base64: string };

/** One turn. */
export type ChatMessage =
  | { readonly role: 'system'; readonly text: string }
  | { readonly role: 'user'; readonly text: string; readonly images?: readonly ImagePart[] }
  | {
      readonly role: 'assistant';
      readonly text: string;
      readonly reasoning?: string;
      readonly toolCalls?: readonly ToolCall[];
    }
  | {
      readonly role: 'tool';
      readonly text: string;
      readonly toolCallId: string;
      /** Of the tool, where the request says it itself and not only by the call's id. */
      readonly toolName?: string;
    };

/** A function the model may call. */
export type Tool = {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema. */
  readonly parameters?: unknown;
};

/** `text`: free; `json`: any JSON object; `schema`: JSON of that schema. */
export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | { readonly type: 'schema'; readonly schema: unknown };

/** Ollama's `think`. */
export type Think = boolean | 'low' | 'medium' | 'high' | 'max';

/** A text to go on from, as Ollama's `/api/generate` has it. Only Ollama has words for all but the prompt. */
export type Completion = {
  readonly prompt: string;
  /** What the text must lead to. */
  readonly suffix?: string;
  readonly system?: string;
  /** In place of the model's own, in Go's language. */
  readonly template?: string;
  /** The prompt goes to the model as it is, without a template. */
  readonly raw?: boolean;
  /** The numbers that came with the text before. */
  readonly context?: readonly number[];
  readonly images?: readonly ImagePart[];
};

/** A request for a chat completion. Absent means: the provider's default. */
export type ChatRequest = {
  readonly model: string;
  /** The turns; those that `completion` amounts to where there is one. */
  readonly messages: readonly ChatMessage[];
  /** What is asked for in place of turns, for whom can go on from a text. */
  readonly completion?: Completion;
  readonly stream: boolean;
  /** Whether a streamed answer ends with a usage chunk. */
  readonly includeUsage: boolean;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly format?: ResponseFormat;
  readonly tools?: readonly Tool[];
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly name: string };
  readonly logprobs?: boolean;
  readonly topLogprobs?: number;
  readonly think?: Think;
  /** Ollama's `keep_alive`: seconds or a Go duration. */
  readonly keepAlive?: number | string;
  /** Ollama's options by their own names (`num_ctx`, `top_k`…), from the top level and `options`. */
  readonly options: Readonly<Record<string, unknown>>;
};

/** Why an answer ended. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** Tokens of one exchange. */
export type Usage = { readonly promptTokens: number; readonly completionTokens: number };

/**
 * Where the time of an answer went, in milliseconds, as the model's own server measured it. `loadMs`
 * includes the wait for other models to be loaded.
 */
export type AnswerTiming = {
  /** What the request waited for its turn with us; absent where it does not queue. */
  readonly queueMs?: number;
  readonly totalMs: number;
  readonly loadMs: number;
  readonly promptMs: number;
  readonly generationMs: number;
};

/** Probability of one token; the shape is OpenAI's. */
export type TokenLogprob = {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[] | null;
  readonly top_logprobs: readonly {
    readonly token: string;
    readonly logprob: number;
    readonly bytes: readonly number[] | null;
  }[];
};

/**
 * What a writer says, in order. A stream is complete only by its one `finish`, which is last;
 * a failure is an ObeliskError thrown by the iterator.
 */
export type ChatEvent =
  | { readonly type: 'text-delta'; readonly text: string; readonly logprobs?: readonly TokenLogprob[] }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | { readonly type: 'tool-call'; readonly index: number; readonly call: ToolCall }
  /** Fields to merge into the assistant's message or delta (`sources`, `annotations` of a vault's answer). */
  | { readonly type: 'message-fields'; readonly fields: Readonly<Record<string, unknown>> }
  | {
      readonly type: 'finish';
      readonly reason: FinishReason;
      readonly usage: Usage;
      /** Absent where the model's server does not say. */
      readonly timing?: AnswerTiming;
      /** Ollama's own numbers of a text so far, which some of its clients send back to go on from. */
      readonly context?: readonly number[];
    };

/** Where a request is in a queue at this moment. */
export type QueuePlace = {
  /** 1 is next. */
  readonly position: number;
  /** Milliseconds until it is served, as far as can be reckoned; absent before a first answer was measured. */
  readonly waitMs?: number;
};

/** A request that waits; its place is worked out when it is asked for. */
export type QueuedRequest = {
  /** Undefined once it waits no more. */
  place(): QueuePlace | undefined;
};

/** What a writer may tell and ask while it works. */
export type ChatContext = {
  readonly signal: AbortSignal;
  /** Clocks of the exchange with the upstream, where they are not the writer's own. */
  readonly clocks?: Clocks;
  /** Whether somebody else can be asked: a server that is busy is then not waited for. */
  readonly hasOther?: boolean;
  /** Called before the upstream is asked once more within one attempt, because it was busy. */
  onAskAgain?(): void;
  /** Who asks: clients take turns where a model has a queue. */
  readonly client?: string;
  /** Called when the request has to wait for its turn at a model. */
  onQueued?(queued: QueuedRequest): void;
  /** Called when the model is cold and the wait will be long. */
  onLoading?(): void;
  /** Response headers of Obelisk's own (`x-obelisk-…`), only before the first event. */
  onHeader?(name: string, value: string): void;
};

/** Writes an answer: Ollama, the extractive writer, a vault. */
export type ChatWriter = (request: ChatRequest, context: ChatContext) => AsyncIterable<ChatEvent>;

/** A request for embeddings. */
export type EmbeddingRequest = {
  readonly model: string;
  readonly input: readonly string[];
  readonly dimensions?: number;
  /** Cuts texts that do not fit, which are refused otherwise. */
  readonly truncate?: true;
  readonly keepAlive?: number | string;
  readonly options: Readonly<Record<string, unknown>>;
};

/** Embeddings in the order of the input. */
export type EmbeddingResult = {
  readonly vectors: readonly Float32Array[];
  readonly promptTokens: number;
  /** Absent where the model's server does not say. */
  readonly timing?: AnswerTiming;
};

/** What an embedder may tell and ask while it works: as a writer, and `clocks` are those of each exchange. */
export type EmbedContext = Pick<
  ChatContext,
  'clocks' | 'hasOther' | 'client' | 'onQueued' | 'onHeader' | 'onAskAgain'
>;

/** Makes embeddings. */
export type Embedder = (
  request: EmbeddingRequest,
  signal: AbortSignal,
  context?: EmbedContext,
) => Promise<EmbeddingResult>;
