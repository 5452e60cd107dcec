import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import type { Clocks } from '../../wire/upstream.ts';

import { generatedLine } from './api-types.ts';
import type { OllamaGenerated } from './api-types.ts';
import { readOllamaJson } from './exchange.ts';
import type { OllamaExchangeOptions } from './exchange.ts';
import type { OllamaLoadBody } from './request-types.ts';

type From = { readonly host: string; readonly model: string };

/**
 * Reads the lines of `/api/generate`.
 * @throws ObeliskError `upstream_invalid` for a line that is not Ollama's, and when they end before `done`.
 */
export async function* readGenerated(
  lines: AsyncIterable<unknown>,
  from: From,
): AsyncIterable<OllamaGenerated> {
  let done = false;
  for await (const json of lines) {
    const line = toGenerated(json, from);
    done ||= line.done;
    yield line;
  }
  if (done) return;
  throw new ObeliskError(
    'upstream_invalid',
    `ollama ${from.host} ended the answer of ${from.model} unfinished`,
  );
}

function toGenerated(json: unknown, { host }: From): OllamaGenerated {
  const parsed = generatedLine.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ObeliskError('upstream_invalid', `ollama ${host}: /api/generate did not answer as Ollama does`);
}

/**
 * Loads or unloads a model by asking it nothing. A model that only embeds refuses `/api/generate`
 * where it is to be loaded, and is loaded by embedding nothing.
 * @throws ObeliskError of Ollama's own text, `upstream_*`.
 */
export async function readRunnerChange(
  options: OllamaExchangeOptions,
  change: { readonly body: OllamaLoadBody; readonly clocks: Clocks; readonly to: 'load' | 'unload' },
  signal?: AbortSignal,
): Promise<void> {
  const { body, clocks, to } = change;
  const { model } = body;
  const method = 'POST';
  try {
    // From 0.30 on, a model that was loaded to shift is loaded anew for the chats, which never do.
    const asked = { ...body, stream: false, ...(to === 'load' ? { shift: false } : {}) };
    const call = { method, path: '/api/generate', body: asked, model, clocks } as const;
    const answer = toGenerated(await readOllamaJson(options, call, signal), { host: options.url, model });
    if (answer.done) return;
    throw new ObeliskError('upstream_invalid', `ollama ${options.url} did not ${to} ${model}`);
  } catch (error) {
    if (to === 'unload' || !isObeliskError(error) || error.code !== 'unsupported') throw error;
  }
  await readOllamaJson(
    options,
    { method, path: '/api/embed', body: { ...body, input: [] }, model, clocks },
    signal,
  );
}
