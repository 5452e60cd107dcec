/** Fields that requests of OpenAI's and Ollama's dialects have, the ones of nearly every request first. */
const FIELDS: readonly string[] = [
  'model',
  'messages',
  'stream',
  'input',
  'prompt',
  'temperature',
  'max_tokens',
  'max_completion_tokens',
  'stream_options',
  'tools',
  'tool_choice',
  'top_p',
  'user',
  'stop',
  'response_format',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'reasoning_effort',
  'parallel_tool_calls',
  'metadata',
  'encoding_format',
  'dimensions',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'modalities',
  'service_tier',
  'store',
  'options',
  'format',
  'keep_alive',
  'think',
];

type KnownKey = { readonly text: string; readonly bytes: Buffer };

const BY_LENGTH: readonly (readonly KnownKey[])[] = Array.from({ length: 32 }, (_, length) =>
  FIELDS.filter((field) => field.length === length).map((text) => ({ text, bytes: Buffer.from(text) })),
);

/**
 * Reads a key that holds no escape, from `start` to `end`. What nearly every request has is quicker
 * found than made.
 */
export function readKey(body: Buffer, start: number, end: number): string {
  for (const { text, bytes } of BY_LENGTH[end - start] ?? []) if (isAt(body, start, bytes)) return text;
  return body.toString('utf8', start, end);
}

/** Whether `bytes` stand in `body` from `start` on. */
export function isAt(body: Buffer, start: number, bytes: Buffer): boolean {
  for (let index = 0; index < bytes.length; index += 1)
    if (body[start + index] !== bytes[index]) return false;
  return true;
}
