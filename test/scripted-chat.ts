import type { ChatRequest, ChatWriter } from '../src/providers/chat.ts';

/** A chat that says the given deltas and remembers what it was asked. */
export function scriptedChat(deltas: readonly string[]): {
  readonly chat: ChatWriter;
  readonly requests: ChatRequest[];
} {
  const requests: ChatRequest[] = [];
  const chat: ChatWriter = async function* (request) {
    requests.push(request);
    await Promise.resolve();
    for (const text of deltas) yield { type: 'text-delta', text };
    yield { type: 'finish', reason: 'stop', usage: { promptTokens: 7, completionTokens: 3 } };
  };
  return { chat, requests };
}
