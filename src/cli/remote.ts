import { z } from 'zod';
import type { VaultStatus } from '../rag/library.ts';
import { ERROR_KINDS, ObeliskError } from '../shared/errors.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type { Headers } from '../wire/http.ts';
import { LOCAL_CLOCKS, REMOTE_CLOCKS } from '../wire/upstream.ts';
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from '../wire/upstream.ts';
import type { Answering, ModelRow, SearchAnswer } from './program.ts';
import { readAnswer } from './remote-answer.ts';
import { modelList, searchResult, vaultList } from './remote-types.ts';
import type { RunningServer } from './running-server.ts';

const MAX_BYTES = 32 * 1024 * 1024;

/**
 * Speaks with a running server over its public API, so that the command line shares its index and
 * its loaded models. Every call throws ObeliskError with the server's own message.
 */
export function createRemote(server: RunningServer, client: UpstreamClient): Answering {
  const headers: Headers = {
    'content-type': 'application/json',
    ...(server.key === undefined ? {} : { authorization: `Bearer ${server.key.reveal()}` }),
  };
  const { origin } = new URL(server.url);
  const send = async (
    request: Pick<UpstreamRequest, 'path' | 'method' | 'body' | 'clocks'>,
    signal?: AbortSignal,
  ) => {
    const response = await client.request({ origin, headers, ...request }, signal);
    if (response.status !== 200) throw await toError(response);
    return response;
  };
  const get = async <Value>(path: string, schema: z.ZodType<Value>, signal?: AbortSignal): Promise<Value> => {
    const response = await send({ path, method: 'GET', clocks: REMOTE_CLOCKS }, signal);
    const text = (await response.bytes(MAX_BYTES)).toString('utf8');
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    throw new ObeliskError(
      'upstream_invalid',
      `${server.url}${path} did not answer as this version of Obelisk does; restart the server`,
    );
  };
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
      const response = await send(
        { path: '/v1/chat/completions', method: 'POST', body, clocks: LOCAL_CLOCKS },
        signal,
      );
      yield* readAnswer(response.body, server.url);
    },
    close: () => client.close(),
  };
}

const errorBody = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) });

async function toError(response: UpstreamResponse): Promise<ObeliskError> {
  const text = (await response.bytes(64 * 1024)).toString('utf8');
  const parsed = errorBody.safeParse(parseJson(text));
  const code = parsed.success ? parsed.data.error.code : undefined;
  const known = isErrorCode(code) ? code : 'upstream_error';
  const message = parsed.success
    ? parsed.data.error.message
    : `the running server answered ${response.status}`;
  return new ObeliskError(known, message);
}

function isErrorCode(code: string | null | undefined): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_KINDS, code);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
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
