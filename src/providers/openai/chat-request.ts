import { z } from 'zod';
import { defined } from '../../shared/defined.ts';
import { ObeliskError } from '../../shared/errors.ts';
import type { ChatRequest, ResponseFormat, Think, Tool } from '../chat.ts';
import { toInvalidRequest } from './describe-issue.ts';
import { fromMessages } from './from-message.ts';
import { messageSchema } from './message-schema.ts';
import { ollamaOptions } from './ollama-fields.ts';

const tool = () =>
  z.object({
    type: z.literal('function'),
    function: z.object({
      name: z.string().min(1),
      description: z.string().nullish(),
      parameters: z.record(z.string(), z.unknown()).nullish(),
    }),
  });

const responseFormat = () =>
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('text') }),
    z.object({ type: z.literal('json_object') }),
    z.object({
      type: z.literal('json_schema'),
      json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }),
    }),
  ]);

const toolChoice = () =>
  z.union([
    z.enum(['auto', 'none', 'required']),
    z.object({ type: z.literal('function'), function: z.object({ name: z.string().min(1) }) }),
  ]);

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

const schema = z.lazy(() =>
  z.object({
    model: z.string().min(1),
    messages: z.array(messageSchema()).min(1, 'expected at least one message'),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
    n: z.number().int().nullish(),
    max_tokens: z.number().int().positive().nullish(),
    max_completion_tokens: z.number().int().positive().nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    seed: z.number().int().nullish(),
    stop: z.union([z.string(), z.array(z.string())]).nullish(),
    presence_penalty: z.number().min(-2).max(2).nullish(),
    frequency_penalty: z.number().min(-2).max(2).nullish(),
    response_format: responseFormat().nullish(),
    tools: z.array(tool()).nullish(),
    tool_choice: toolChoice().nullish(),
    functions: z.unknown().optional(),
    modalities: z.array(z.string()).nullish(),
    logprobs: z.boolean().nullish(),
    top_logprobs: z.number().int().min(0).max(20).nullish(),
    reasoning_effort: z.enum(EFFORTS).nullish(),
    think: z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])]).nullish(),
    keep_alive: z.union([z.number(), z.string()]).nullish(),
    options: z.record(z.string(), z.unknown()).nullish(),
  }),
);

type Body = z.infer<typeof schema>;

/**
 * Reads an OpenAI chat body that is going to be translated. Unknown fields are ignored, Ollama's
 * own are understood at the top level and under `options`.
 * @throws ObeliskError `invalid_request` naming the field; `unsupported` for what no translated
 *   dialect has (`n` above 1, `functions`, audio).
 */
export function parseChatRequest(json: unknown): ChatRequest {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw toInvalidRequest(parsed.error);
  const body = parsed.data;
  refuseUnsupported(body);
  return {
    model: body.model,
    messages: fromMessages(body.messages),
    stream: body.stream ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
    ...samplingOf(body),
    ...toolsOf(body),
    ...formatOf(body.response_format),
    ...thinkOf(body),
    ...defined('keepAlive', body.keep_alive),
    // The schema has checked that it is an object; unknown names were stripped from `body` only.
    options: ollamaOptions(json as Readonly<Record<string, unknown>>),
  };
}

function refuseUnsupported(body: Body): void {
  const refuse = (param: string, message: string): never => {
    throw new ObeliskError('unsupported', `${param}: ${message}`, { param });
  };
  if ((body.n ?? 1) !== 1) refuse('n', 'this model writes one answer per request; send n requests');
  if (body.functions !== undefined && body.functions !== null) {
    refuse('functions', 'the old function calling is not supported; use tools');
  }
  if (body.modalities?.some((modality) => modality !== 'text')) {
    refuse('modalities', 'this model answers with text only');
  }
}

function samplingOf(body: Body): Partial<ChatRequest> {
  const stop = typeof body.stop === 'string' ? [body.stop] : body.stop;
  return {
    ...defined('maxTokens', body.max_completion_tokens ?? body.max_tokens),
    ...defined('temperature', body.temperature),
    ...defined('topP', body.top_p),
    ...defined('seed', body.seed),
    ...defined('stop', stop),
    ...defined('presencePenalty', body.presence_penalty),
    ...defined('frequencyPenalty', body.frequency_penalty),
    ...defined('logprobs', body.logprobs),
    ...defined('topLogprobs', body.top_logprobs),
  };
}

function toolsOf(body: Body): Partial<ChatRequest> {
  const tools = body.tools?.map(({ function: declared }): Tool => ({
    name: declared.name,
    ...defined('description', declared.description),
    ...defined('parameters', declared.parameters),
  }));
  const choice = body.tool_choice;
  return {
    ...(tools?.length ? { tools } : {}),
    ...defined('toolChoice', typeof choice === 'object' && choice ? { name: choice.function.name } : choice),
  };
}

function formatOf(format: Body['response_format']): { readonly format?: ResponseFormat } {
  switch (format?.type) {
    case 'json_object':
      return { format: { type: 'json' } };
    case 'json_schema':
      return { format: { type: 'schema', schema: format.json_schema.schema } };
    default:
      return {};
  }
}

const THINK_BY_EFFORT: Readonly<Record<(typeof EFFORTS)[number], Think>> = {
  none: false,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'max',
  max: 'max',
};

function thinkOf(body: Body): { readonly think?: Think } {
  if (body.think !== null && body.think !== undefined) return { think: body.think };
  return body.reasoning_effort ? { think: THINK_BY_EFFORT[body.reasoning_effort] } : {};
}
