import { createSseReader } from './sse.js';

/**
 * @typedef {object} Source A passage that an answer may cite.
 * @property {number} index
 * @property {string} vault
 * @property {string} path
 * @property {string} title
 * @property {string[]} headingPath
 * @property {number} startLine
 * @property {number} endLine
 * @property {string} obsidianUrl
 * @property {string} url
 * @property {boolean} [cited]
 */
/**
 * @typedef {object} Vault
 * @property {string} name
 * @property {'starting' | 'indexing' | 'ready' | 'failed'} state
 * @property {number} notes
 * @property {number} pendingNotes
 * @property {string} [error]
 */
/** @typedef {{vault: string, path: string, title: string, html: string, obsidianUrl: string}} NoteView */
/** @typedef {{role: 'user' | 'assistant', content: string}} Message */
/** @typedef {{content?: string, reasoning_content?: string, sources?: Source[], obelisk?: {supported?: boolean}}} Delta */

/** A refusal by the server, or its silence (status 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} path
 * @param {Omit<RequestInit, 'headers'> & {headers?: Record<string, string>}} [options]
 * @returns {Promise<Response>}
 */
async function request(path, options = {}) {
  const headers = { ...options.headers, 'x-obelisk-page': '1' };
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: 'same-origin' });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, 'Obelisk does not answer. Is “obelisk serve” still running?');
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => undefined);
  throw new ApiError(response.status, body?.error?.message ?? `Obelisk answered ${response.status}.`);
}

/** @returns {Promise<Vault[]>} */
export async function listVaults() {
  return (await (await request('/obelisk/v1/vaults')).json()).data;
}

/**
 * Names of the models that can write an answer.
 *
 * @returns {Promise<string[]>}
 */
export async function listWriters() {
  /** @type {{id: string, mode?: string}[]} */
  const models = (await (await request('/v1/models')).json()).data;
  return models
    .filter(({ id, mode }) => !id.startsWith('vault/') && mode !== 'embedding')
    .map(({ id }) => id);
}

/**
 * @param {string} vault
 * @param {string} path
 * @returns {Promise<NoteView>}
 */
export async function loadNote(vault, path) {
  const parts = path.split('/').map(encodeURIComponent).join('/');
  return (await request(`/obelisk/v1/vaults/${encodeURIComponent(vault)}/notes/${parts}`)).json();
}

/**
 * Exchanges the master key for a session cookie.
 *
 * @param {string} key
 */
export async function openSession(key) {
  await request('/obelisk/v1/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  });
}

/** Ends the session of this browser. */
export async function endSession() {
  await request('/obelisk/v1/session', { method: 'DELETE' });
}

/**
 * Asks, and reports the answer as it comes.
 *
 * @param {{model: string, messages: Message[], signal: AbortSignal}} question
 * @param {{onDelta: (delta: Delta) => void, onComment: (comment: string) => void}} listeners
 * @throws {ApiError} also when the answer broke off: only a finish reason is an end
 */
export async function streamAnswer({ model, messages, signal }, { onDelta, onComment }) {
  const response = await request('/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ model, messages, stream: true }),
    signal,
  });
  let finished = false;
  const reader = createSseReader({
    onComment,
    onData(data) {
      if (data === '[DONE]') return;
      const chunk = JSON.parse(data);
      if (chunk.error) throw new ApiError(response.status, chunk.error.message ?? 'The answer failed.');
      const [choice] = chunk.choices ?? [];
      if (choice?.delta) onDelta(choice.delta);
      if (choice?.finish_reason) finished = true;
    },
  });
  await readText(response, (text) => reader.push(text));
  if (!finished) throw new ApiError(0, 'The answer broke off before its end. Ask again.');
}

/**
 * @param {Response} response
 * @param {(text: string) => void} onText
 */
async function readText(response, onText) {
  const body = response.body?.getReader();
  const decoder = new TextDecoder();
  for (let read = await body?.read(); read && !read.done; read = await body?.read()) {
    onText(decoder.decode(read.value, { stream: true }));
  }
}
