import { z } from 'zod';
import { ERROR_KINDS, ObeliskError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { ChatEvent, FinishReason, ToolCall, Usage } from '../chat.ts';
import { IMPRECISE_CODES, isErrorCode, readFailure, upstreamCodeFor } from './error-body.ts';
import type { UpstreamFailure } from './error-body.ts';
import { usageOf } from './stream-tail.ts';

/** Reads the data of a stream's events, one after the other, into ours. */
export type ChatEventReader = {
  /**
   * What one event's data says. Tool calls are whole in `end`, because their arguments come in pieces.
   * @throws ObeliskError the stream's own error, or `upstream_invalid` for what is no chunk.
   */
  read(data: string): readonly ChatEvent[];
  /**
   * What only the end can say; the last of it is `finish`.
   * @throws ObeliskError `upstream_invalid` where the stream ended without being complete.
   */
  end(): readonly ChatEvent[];
};

const toolCallDelta = () =>
  z.object({
    index: z.number().int().optional(),
    id: z.string().nullish(),
    function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
  });

const tokenLogprob = () =>
  z.object({
    token: z.string(),
    logprob: z.number(),
    bytes: z.array(z.number()).nullable().default(null),
  });

const delta = () =>
  z.looseObject({
    content: z.string().nullish(),
    refusal: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    reasoning: z.string().nullish(),
    tool_calls: z.array(toolCallDelta()).nullish(),
  });

const chunk = z.lazy(() =>
  z.object({
    choices: z
      .array(
        z.object({
          delta: delta().nullish(),
          finish_reason: z.string().nullish(),
          logprobs: z
            .object({
              content: z
                .array(tokenLogprob().extend({ top_logprobs: z.array(tokenLogprob()).default([]) }))
                .nullish(),
            })
            .nullish(),
        }),
      )
      .nullish(),
  }),
);

type Choice = NonNullable<z.infer<typeof chunk>['choices']>[number];

/** Fields of a delta that have events of their own, or say nothing. */
const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  'role',
  'content',
  'reasoning_content',
  'reasoning',
  'tool_calls',
  'refusal',
  'function_call',
]);

/** By which vLLM, SGLang and OpenRouter end an answer that broke off. */
const BROKEN_OFF: ReadonlySet<string> = new Set(['error', 'abort']);

const FINISH_REASONS: ReadonlySet<string> = new Set(['stop', 'length', 'tool_calls', 'content_filter']);

/** Who streams, for errors. */
export type EventSource = {
  readonly name: string;
  /** Makes the error of a failure that was reported in the stream. */
  toError(failure: UpstreamFailure): ObeliskError;
};

const GATEWAY: EventSource = { name: 'the gateway', toError: toOwnError };

/** Creates the reader of one stream, of our own gateway unless told. */
export function createChatEventReader(source: EventSource = GATEWAY): ChatEventReader {
  const invalid = (what: string, cause?: unknown): ObeliskError =>
    new ObeliskError('upstream_invalid', `${source.name} ${what}`, cause === undefined ? {} : { cause });
  const calls = new Map<number, ToolCall>();
  let reason: FinishReason | undefined;
  let usage: Usage = { promptTokens: 0, completionTokens: 0 };
  return {
    read(data) {
      if (data === '[DONE]') return [];
      const json = parse(data, invalid);
      const failure = readFailure(json);
      if (failure) throw source.toError(failure);
      usage = usageOf(json) ?? usage;
      const parsed = chunk.safeParse(json);
      if (!parsed.success) throw invalid('sent something that is no chunk of a chat completion');
      const [choice] = parsed.data.choices ?? [];
      if (!choice) return [];
      if (BROKEN_OFF.has(choice.finish_reason ?? ''))
        throw source.toError({ message: `it broke its answer off (${choice.finish_reason})` });
      reason = toFinishReason(choice.finish_reason) ?? reason;
      gather(calls, choice);
      return eventsOf(choice);
    },
    end() {
      if (!reason) throw invalid('ended its stream without a finish_reason');
      const whole = [...calls.values()].map((call, index): ChatEvent => ({ type: 'tool-call', index, call }));
      return [...whole, { type: 'finish', reason, usage }];
    },
  };
}

/** The error that a body or a frame reports, as ours: with its own code where it is one of ours. */
export function toReportedError(json: unknown): ObeliskError | undefined {
  const failure = readFailure(json);
  return failure && toOwnError(failure);
}

function toOwnError(failure: UpstreamFailure): ObeliskError {
  const code = ownCodeOf(failure);
  const upstreamCode = upstreamCodeFor(code, failure.code);
  return new ObeliskError(code, failure.message ?? 'no message', { param: failure.param, upstreamCode });
}

/** Where an upstream's code stands in for ours, the type tells which one that was. */
function ownCodeOf({ code, type }: UpstreamFailure): ErrorCode {
  if (code === undefined) return 'upstream_error';
  if (isErrorCode(code)) return code;
  return IMPRECISE_CODES.find((own) => ERROR_KINDS[own].type === type) ?? 'upstream_error';
}

function eventsOf({ delta: changed, logprobs }: Choice): readonly ChatEvent[] {
  if (!changed) return [];
  const events: ChatEvent[] = [];
  const reasoning = changed.reasoning_content ?? changed.reasoning;
  if (reasoning) events.push({ type: 'reasoning-delta', text: reasoning });
  if (changed.content) {
    const content = logprobs?.content;
    events.push({ type: 'text-delta', text: changed.content, ...(content ? { logprobs: content } : {}) });
  }
  if (changed.refusal) events.push({ type: 'text-delta', text: changed.refusal });
  const fields = Object.entries(changed).filter(([name, value]) => !KNOWN_FIELDS.has(name) && value !== null);
  if (fields.length > 0) events.push({ type: 'message-fields', fields: Object.fromEntries(fields) });
  return events;
}

const NO_CALL: ToolCall = { id: '', name: '', arguments: '' };

/** The first piece of a call names it, the others lengthen its arguments. */
function gather(calls: Map<number, ToolCall>, { delta: changed }: Choice): void {
  for (const [position, piece] of (changed?.tool_calls ?? []).entries()) {
    const index = piece.index ?? position;
    const known = calls.get(index) ?? NO_CALL;
    const { name, arguments: more } = piece.function ?? {};
    calls.set(index, {
      id: known.id || (piece.id ?? ''),
      name: known.name || (name ?? ''),
      arguments: known.arguments + (more ?? ''),
    });
  }
}

function toFinishReason(reason: string | null | undefined): FinishReason | undefined {
  if (!reason) return undefined;
  // The set holds exactly the members of the type; other servers' words mean an ordinary end.
  return FINISH_REASONS.has(reason) ? (reason as FinishReason) : 'stop';
}

function parse(data: string, invalid: (what: string, cause?: unknown) => ObeliskError): unknown {
  try {
    return JSON.parse(data);
  } catch (error) {
    // The parser's own message quotes the text, which may be somebody's answer.
    throw invalid('sent an event that is not JSON', error instanceof SyntaxError ? undefined : error);
  }
}
