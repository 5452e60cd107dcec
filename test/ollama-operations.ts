/** Every call of the client of Ollama, for tests that hold all of them to the same. */
import type { OllamaClient } from '../src/ollama/api/client.ts';
import type { OllamaChatBody } from '../src/providers/ollama/chat-request.ts';

/** A digest of nothing. */
export const DIGEST: string = `sha256:${'ab'.repeat(32)}`;
/** A chat as the client sends it. */
export const CHAT: OllamaChatBody = {
  model: 'tiny',
  messages: [{ role: 'user', content: 'hi' }],
  stream: true,
  truncate: false,
  shift: false,
  options: {},
};

/** Every line of a stream. */
export async function all(lines: AsyncIterable<unknown>): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  for await (const line of lines) seen.push(line);
  return seen;
}

/** Four bytes to upload. */
export async function* bytes(): AsyncIterable<Uint8Array> {
  await Promise.resolve();
  yield Buffer.from('GGUF');
}

/** One call of the client. */
export type Operation = {
  readonly name: string;
  readonly path: string;
  readonly streams?: boolean;
  readonly run: (client: OllamaClient, signal: AbortSignal) => Promise<unknown>;
};

/** Every call of the client. */
export const OPERATIONS: readonly Operation[] = [
  { name: 'version', path: '/api/version', run: (client, signal) => client.version(signal) },
  { name: 'status', path: '/api/status', run: (client, signal) => client.status(signal) },
  { name: 'tags', path: '/api/tags', run: (client, signal) => client.tags(signal) },
  { name: 'show', path: '/api/show', run: (client, signal) => client.show('tiny', signal) },
  { name: 'ps', path: '/api/ps', run: (client, signal) => client.ps(signal) },
  { name: 'chat', path: '/api/chat', streams: true, run: (client, signal) => all(client.chat(CHAT, signal)) },
  {
    name: 'generate',
    path: '/api/generate',
    streams: true,
    run: (client, signal) => all(client.generate({ model: 'tiny', prompt: 'hi' }, signal)),
  },
  {
    name: 'embed',
    path: '/api/embed',
    run: (client, signal) =>
      client.embed({ model: 'tiny', input: ['hi'], truncate: false, options: {} }, signal),
  },
  { name: 'load', path: '/api/generate', run: (client, signal) => client.load({ model: 'tiny' }, signal) },
  { name: 'unload', path: '/api/generate', run: (client, signal) => client.unload('tiny', signal) },
  {
    name: 'pull',
    path: '/api/pull',
    streams: true,
    run: (client, signal) => all(client.pull('far', signal)),
  },
  {
    name: 'push',
    path: '/api/push',
    streams: true,
    run: (client, signal) => all(client.push('tiny', signal)),
  },
  {
    name: 'create',
    path: '/api/create',
    streams: true,
    run: (client, signal) => all(client.create({ model: 'new', from: 'tiny' }, signal)),
  },
  { name: 'remove', path: '/api/delete', run: (client, signal) => client.remove('tiny', signal) },
  { name: 'copy', path: '/api/copy', run: (client, signal) => client.copy('tiny', 'b', signal) },
  { name: 'hasBlob', path: `/api/blobs/${DIGEST}`, run: (client, signal) => client.hasBlob(DIGEST, signal) },
  {
    name: 'uploadBlob',
    path: `/api/blobs/${DIGEST}`,
    run: (client, signal) => client.uploadBlob({ digest: DIGEST, bytes: 4, open: bytes }, signal),
  },
];
