import { z } from 'zod';

import { ObeliskError } from '../../../shared/errors.ts';
import type { ChatRequest, ResponseFormat, Tool } from '../../chat.ts';
import { toInvalidRequest } from '../../openai/describe-issue.ts';
import { toKeepAlive } from '../keep-alive.ts';
import { doorMessage, fromDoorMessages } from './door-messages.ts';
import { fromDoorOptions } from './door-options.ts';

const tool = () =>
  z.object({
    function: z.object({
      name: z.string().min(1),
      description: z.string().nullish(),
      parameters: z.record(z.string(), z.unknown()).nullish(),
    }),
  });

/** Builds the schema of what chats and plain texts have in common. */
export function commonBody(): z.ZodType<CommonBody> {
  return z.object({
    model: z.string(),
    stream: z.boolean().nullish(),
    format: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
    keep_alive: z.union([z.number(), z.string()]).nullish(),
    options: z.record(z.string(), z.unknown()).nullish(),
    think: z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])]).nullish(),
    logprobs: z.boolean().nullish(),
    top_logprobs: z.number().int().min(0).max(20).nullish(),
  });
}

const schema = z.lazy(() =>
  z.intersection(
    commonBody(),
    z.object({ messages: z.array(doorMessage()).nullish(), tools: z.array(tool()).nullish() }),
  ),
);

/** What chats and plain texts have in common. */
export type CommonBody = {
  readonly model: string;
  readonly stream?: boolean | null | undefined;
  readonly format?: string | Readonly<Record<string, unknown>> | null | undefined;
  readonly keep_alive?: number | string | null | undefined;
  readonly options?: Readonly<Record<string, unknown>> | null | undefined;
  readonly think?: ChatRequest['think'] | null;
  readonly logprobs?: boolean | null | undefined;
  readonly top_logprobs?: number | null | undefined;
};

/**
 * Reads the body of `POST /api/chat`. Fields that Ollama does not know are ignored, as it does.
 * @throws ObeliskError `invalid_request` naming the field.
 */
export function parseDoorChat(json: unknown): ChatRequest {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw toInvalidRequest(parsed.error);
  const { messages, tools } = parsed.data;
  return {
    ...fromCommon(parsed.data),
    messages: fromDoorMessages(messages ?? []),
    ...(tools?.length ? { tools: tools.map(toTool) } : {}),
  };
}

/**
 * Reads what chats and plain texts have in common.
 * @throws ObeliskError `invalid_request` for `format`, `keep_alive` and options.
 */
export function fromCommon(body: CommonBody): Omit<ChatRequest, 'messages'> {
  const format = formatOf(body.format);
  const keepAlive = body.keep_alive ?? undefined;
  return {
    model: body.model,
    stream: body.stream ?? true,
    includeUsage: true,
    ...fromDoorOptions(body.options),
    ...(format === undefined ? {} : { format }),
    ...(keepAlive === undefined ? {} : { keepAlive: toKeepAlive(keepAlive) }),
    ...(body.think === undefined || body.think === null ? {} : { think: body.think }),
    ...(body.logprobs === true ? { logprobs: true } : {}),
    ...(body.top_logprobs === undefined || body.top_logprobs === null
      ? {}
      : { topLogprobs: body.top_logprobs }),
  };
}

function toTool({ function: declared }: z.infer<ReturnType<typeof tool>>): Tool {
  const { name, description, parameters } = declared;
  return { name, ...(description ? { description } : {}), ...(parameters ? { parameters } : {}) };
}

function formatOf(format: CommonBody['format']): ResponseFormat | undefined {
  if (format === undefined || format === null || format === '') return undefined;
  if (typeof format === 'object') return { type: 'schema', schema: format };
  if (format === 'json') return { type: 'json' };
  throw new ObeliskError('invalid_request', 'invalid format: expected "json" or a JSON schema', {
    param: 'format',
  });
}
