import type { Route } from '../route-table.ts';
import { createOllamaChatRoute } from './ollama-chat-route.ts';
import type { OllamaChatOptions } from './ollama-chat-route.ts';

/** What Ollama's own API is made of. */
export type OllamaApiOptions = OllamaChatOptions;

/** Lists the routes of Ollama's own API, for programs that speak nothing else. */
export function ollamaApiRoutes(options: OllamaApiOptions): readonly Route[] {
  return [
    { method: 'POST', path: '/api/chat', access: 'key', body: 'any', handle: createOllamaChatRoute(options) },
  ];
}
