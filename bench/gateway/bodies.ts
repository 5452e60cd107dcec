/** The name that every program knows the mock's model by. */
export const MODEL = 'gpt-mock';

/** The key that clients send to Obelisk, where it is checked. */
export const MASTER_KEY = 'sk-bench-0123456789abcdef';

/** What a client asks for: about so many bytes of JSON, as a stream or whole. */
export function requestBody(bytes: number, stream: boolean): string {
  const rest = { model: MODEL, messages: [{ role: 'user', content: '' }], temperature: 0.7, stream };
  const filler = 'What is the meaning of all this? ';
  const wanted = Math.max(0, bytes - JSON.stringify(rest).length);
  const content = filler.repeat(Math.ceil(wanted / filler.length)).slice(0, wanted);
  return JSON.stringify({ ...rest, messages: [{ role: 'user', content }] });
}

/** What the mock answers: a chat completion of about so many bytes. */
export function completion(bytes: number): string {
  const answer = (content: string): string =>
    JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: MODEL,
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 220, completion_tokens: 160, total_tokens: 380 },
    });
  const filler = 'All work and no play. ';
  const wanted = Math.max(0, bytes - answer('').length);
  return answer(filler.repeat(Math.ceil(wanted / filler.length)).slice(0, wanted));
}

/** One event of a stream, as OpenAI sends it: about 300 bytes with `content` of ten letters. */
export function streamEvent(delta: object, finish: 'stop' | null): string {
  return `data: ${JSON.stringify({
    id: 'chatcmpl-bench-0123456789abcdef',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: MODEL,
    service_tier: 'default',
    system_fingerprint: 'fp_0123456789',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    obfuscation: 'abcdefghijklmnopqrstuvwx',
  })}\n\n`;
}

/** The event that tells what a stream has used, where a client or a gateway asked for it. */
export function usageEvent(): string {
  return `data: ${JSON.stringify({
    id: 'chatcmpl-bench-0123456789abcdef',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: MODEL,
    choices: [],
    usage: { prompt_tokens: 220, completion_tokens: 160, total_tokens: 380 },
  })}\n\n`;
}
