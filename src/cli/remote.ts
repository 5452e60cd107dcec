import type { z } from 'zod';
import type { VaultStatus } from '../rag/library.ts';
import { LOCAL_CLOCKS, REMOTE_CLOCKS } from '../wire/upstream.ts';
import type { UpstreamClient } from '../wire/upstream.ts';
import type { Answering, ModelRow, SearchAnswer } from './program.ts';
import { readAnswer } from './remote-answer.ts';
import { createRemoteExchange } from './remote-exchange.ts';
import { modelList, searchResult, vaultList } from './remote-types.ts';
import type { RunningServer } from './running-server.ts';

/**
 * Speaks with a running server over its public API, so that the command line shares its index and
 * its loaded models. Every call throws ObeliskError with the server's own message.
 */
export function createRemote(server: RunningServer, client: UpstreamClient): Answering {
  const exchange = createRemoteExchange({ url: server.url, key: server.key, client });
  const get = <Value>(path: string, schema: z.ZodType<Value>, signal?: AbortSignal): Promise<Value> =>
    exchange.read({ path, method: 'GET', clocks: REMOTE_CLOCKS }, schema, signal);
  return {
    vaults: async () =>
      (await get('/obelisk/v1/vaults', vaultList)).data.map((vault) => toStatus(vault, server)),
    models: async () => (await get('/v1/models', modelList)).data.map((model) => toRow(model, server)),
    search: async (query, { vault, limit, signal }) => {
      const parameters = new URLSearchParams({ vault, q: query, limit: String(limit) });
      const found = await get(`/obelisk/v1/search?${parameters.toString()}`, searchResult, signal);
      return toSearchAnswer(vault, found);
    },
    async *ask(question, { vault, model, signal }) {
      const body = JSON.stringify({
        model: `vault/${vault}${model === undefined ? '' : `:${model}`}`,
        messages: [{ role: 'user', content: question }],
        stream: true,
      });
      const response = await exchange.send(
        { path: '/v1/chat/completions', method: 'POST', body, clocks: LOCAL_CLOCKS },
        signal,
      );
      yield* readAnswer(response.body, server.url);
    },
    close: () => client.close(),
  };
}

function toStatus(vault: z.infer<typeof vaultList>['data'][number], server: RunningServer): VaultStatus {
  const { embeddingModel, error, ...rest } = vault;
  return {
    ...rest,
    path: server.vaults.find(({ name }) => name === vault.name)?.path ?? '',
    warnings: [],
    ...(embeddingModel === undefined ? {} : { embeddingModel }),
    ...(error === undefined ? {} : { error }),
  };
}

function toRow(model: z.infer<typeof modelList>['data'][number], server: RunningServer): ModelRow {
  const { id, capabilities = {}, max_input_tokens: contextLength } = model;
  const kind = id.startsWith('vault/') ? 'vault' : model.mode === 'embedding' ? 'embedding' : 'chat';
  return {
    name: id,
    kind,
    capabilities: Object.entries(capabilities).flatMap(([name, has]) => (has === true ? [name] : [])),
    source: model.source ?? `${model.owned_by} via ${server.url}`,
    ...(contextLength === undefined ? {} : { contextLength }),
    ...(model.default === undefined ? {} : { default: model.default }),
  };
}

function toSearchAnswer(vault: string, found: z.infer<typeof searchResult>): SearchAnswer {
  return { vault, ...found };
}
