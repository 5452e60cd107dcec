import { ObeliskError } from '../../../shared/errors.ts';
import { lineSafeJson } from '../../../shared/line-safe-json.ts';
import { parseJson } from '../../../shared/parse-json.ts';
import type { AnswerTiming, ChatEvent, QueuePlace, TokenLogprob, ToolCall } from '../../chat.ts';
import { createAnswerGatherer } from '../../gathered-answer.ts';
import type { GatheredAnswer } from '../../gathered-answer.ts';
import { toNanoseconds } from '../timing.ts';

/** What the lines of one answer have in common. */
export type DoorAnswer = {
  /** The model as the client asked for it. */
  readonly model: string;
  readonly kind: 'chat' | 'generate';
  /** Milliseconds since the epoch. */
  readonly unixMs: () => number;
  /** Milliseconds that never go back. */
  readonly monotonicMs: () => number;
  /** When the request came, by `monotonicMs`. */
  readonly startedMs: number;
};

type Finish = GatheredAnswer['finish'];
type Fields = Readonly<Record<string, unknown>>;

/** Writes the events of one answer as Ollama's stream: a line of JSON each. */
export type DoorStreamWriter = {
  event(event: ChatEvent): string;
  /**
   * A line without any text: it commits to nothing, and every client of Ollama can read it. Of a request
   * that waits it says where in the queue it is.
   */
  empty(waiting?: QueuePlace): string;
};

/**
 * Creates the writer of one stream. The durations of the last line are those that the model's server
 * measured; where it says none they are what was seen from here.
 */
export function createDoorStream(answer: DoorAnswer): DoorStreamWriter {
  const watch = createWatch(answer);
  const line = (fields: Fields): string => `${lineSafeJson({ ...headOf(answer), ...fields })}\n`;
  const piece = (message: Fields, more: Fields = {}): string =>
    line({ ...messageOf(answer, message), done: false, ...more });
  return {
    empty: (waiting) => piece({}, waiting ? { queue: toQueue(waiting) } : {}),
    event(event) {
      if (event.type === 'finish') return line({ ...messageOf(answer, {}), ...endOf(event, answer, watch) });
      watch.begin();
      switch (event.type) {
        case 'text-delta':
          return piece(
            { content: event.text },
            event.logprobs ? { logprobs: event.logprobs.map(toLogprob) } : {},
          );
        case 'reasoning-delta':
          return piece({ thinking: event.text });
        case 'tool-call':
          return piece({ tool_calls: [toDoorCall(event.call, event.index)] });
        default:
          return piece(event.fields);
      }
    },
  };
}

function toQueue({ position, waitMs }: QueuePlace): Fields {
  return { position, ...(waitMs === undefined ? {} : { wait: toNanoseconds(waitMs) }) };
}

/** Gathers the events of one answer into one object of Ollama's. */
export type DoorBuilder = {
  /** @throws ObeliskError `upstream_invalid` past 32 Mi characters. */
  add(event: ChatEvent): void;
  /** The body; undefined until the `finish` event was added. */
  body(): string | undefined;
};

/** Creates the builder of one answer. */
export function createDoorBuilder(answer: DoorAnswer): DoorBuilder {
  const watch = createWatch(answer);
  const gatherer = createAnswerGatherer();
  return {
    add(event) {
      if (event.type !== 'finish') watch.begin();
      gatherer.add(event);
    },
    body() {
      const gathered = gatherer.answer();
      if (!gathered) return undefined;
      const { text, reasoning, toolCalls, logprobs, fields, finish } = gathered;
      const message = {
        content: text,
        ...(reasoning === '' ? {} : { thinking: reasoning }),
        ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(toDoorCall) }),
        ...fields,
      };
      return JSON.stringify({
        ...headOf(answer),
        ...messageOf(answer, message),
        ...endOf(finish, answer, watch),
        ...(logprobs.length === 0 ? {} : { logprobs: logprobs.map(toLogprob) }),
      });
    },
  };
}

/** Writes the answer to a request that only loads or unloads a model. */
export function toLoadAnswer(answer: DoorAnswer, reason: 'load' | 'unload'): string {
  return JSON.stringify({
    ...headOf(answer),
    ...messageOf(answer, {}),
    done: true,
    done_reason: reason,
  });
}

/** An instant in nanoseconds is more than anybody reads; the form is Ollama's RFC 3339. */
function headOf({ model, unixMs }: DoorAnswer): Fields {
  return { model, created_at: new Date(unixMs()).toISOString() };
}

/** A chat has a message; a plain text has its fields at the top, the text as `response`. */
function messageOf({ kind }: DoorAnswer, message: Fields): Fields {
  if (kind === 'chat') return { message: { role: 'assistant', content: '', ...message } };
  const { content = '', ...more } = message;
  return { response: content, ...more };
}

type Watch = { begin(): void; elapsed(): AnswerTiming };

function createWatch({ monotonicMs, startedMs }: DoorAnswer): Watch {
  let firstMs: number | undefined;
  return {
    begin() {
      firstMs ??= monotonicMs();
    },
    elapsed() {
      const nowMs = monotonicMs();
      const begunMs = firstMs ?? nowMs;
      return {
        totalMs: nowMs - startedMs,
        loadMs: 0,
        promptMs: begunMs - startedMs,
        generationMs: nowMs - begunMs,
      };
    },
  };
}

function endOf({ reason, usage, timing, context = [] }: Finish, { kind }: DoorAnswer, watch: Watch): Fields {
  const seen = watch.elapsed();
  const { loadMs, promptMs, generationMs } = timing ?? seen;
  return {
    done: true,
    // Ollama ends an answer that calls tools with `stop`.
    done_reason: reason === 'length' ? 'length' : 'stop',
    // Clients look for it, though only Ollama's own models have one.
    ...(kind === 'generate' ? { context } : {}),
    total_duration: toNanoseconds(seen.totalMs),
    load_duration: toNanoseconds(loadMs),
    prompt_eval_count: usage.promptTokens,
    prompt_eval_duration: toNanoseconds(promptMs),
    eval_count: usage.completionTokens,
    eval_duration: toNanoseconds(generationMs),
  };
}

function toDoorCall(call: ToolCall, index: number): Fields {
  return { id: call.id, function: { index, name: call.name, arguments: toArguments(call) } };
}

/** Other dialects have the arguments as text, which a model may have written badly. */
function toArguments({ name, arguments: text }: ToolCall): object {
  if (text.trim() === '') return {};
  // What is not JSON is told like what is JSON and no object.
  const value = parseJson(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new ObeliskError(
    'upstream_invalid',
    `the model called the tool ${name.slice(0, 80)} with arguments that are no JSON object; ask again`,
  );
}

function toLogprob({ token, logprob, bytes, top_logprobs: others }: TokenLogprob): Fields {
  return {
    token,
    logprob,
    ...(bytes ? { bytes } : {}),
    ...(others.length > 0 ? { top_logprobs: others } : {}),
  };
}
