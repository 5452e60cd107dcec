import type { Route } from '../route-table.ts';
import { answerVersion, createCatalogueRoutes } from './catalogue-routes.ts';
import type { CatalogueOptions } from './catalogue-routes.ts';
import { createOllamaChatRoute, createOllamaGenerateRoute } from './ollama-chat-route.ts';
import type { OllamaChatOptions } from './ollama-chat-route.ts';
import { createOllamaEmbeddingsRoute, createOllamaEmbedRoute } from './ollama-embed-route.ts';
import type { OllamaEmbedOptions } from './ollama-embed-route.ts';

/** What Ollama's own API is made of. */
export type OllamaApiOptions = OllamaChatOptions & OllamaEmbedOptions & CatalogueOptions;

/** Lists the routes of Ollama's own API, for programs that speak nothing else. */
export function ollamaApiRoutes(options: OllamaApiOptions): readonly Route[] {
  const catalogue = createCatalogueRoutes(options);
  const post = { method: 'POST', access: 'key', body: 'any' } as const;
  const get = { method: 'GET', access: 'key' } as const;
  return [
    { ...post, path: '/api/chat', handle: createOllamaChatRoute(options) },
    { ...post, path: '/api/generate', handle: createOllamaGenerateRoute(options) },
    { ...post, path: '/api/embed', handle: createOllamaEmbedRoute(options) },
    { ...post, path: '/api/embeddings', handle: createOllamaEmbeddingsRoute(options) },
    { ...post, path: '/api/show', handle: catalogue.show },
    { ...get, path: '/api/tags', handle: catalogue.tags },
    { ...get, path: '/api/ps', handle: catalogue.running },
    { ...get, path: '/api/version', handle: answerVersion },
  ];
}
