import {
  chatChunks,
  chunk,
  chunkedHead,
  head,
  json,
  lastChunk,
  ollama,
  openAi,
} from '../../upstream-scripts.ts';
import { flood, send, stall, wait } from '../../upstream.ts';
import type { ReceivedRequest, Script, Step } from '../../upstream.ts';

/** What a prompt asks of the upstream. */
export type Behaviour =
  /** Never answers. */
  | 'silent'
  /** Sends the beginning of its answer and nothing more. */
  | 'halfway'
  /** Streams for ever, as fast as its reader reads. */
  | 'flood'
  /** Says 16 MiB. */
  | 'big'
  /** Says one word every 20 ms, as often as the prompt goes on: `paced 25`. */
  | 'paced'
  /** Answers. */
  | 'answer';

const BEHAVIOURS: readonly Behaviour[] = ['silent', 'halfway', 'flood', 'big', 'paced'];
const WORDS = ['Hello', ' there', '!'];
const MODELS = [
  { name: 'tiny:latest', capabilities: ['completion', 'tools', 'vision'], contextLength: 32_768 },
];
const END: Step = send(lastChunk);
const PACE_MS = 20;

/** An upstream of one dialect that does as the last message of each request says. */
export class LaneScript {
  readonly flooded = { bytes: 0 };
  readonly #dialect: 'openai' | 'ollama';
  readonly #whole: Script;

  constructor(dialect: 'openai' | 'ollama') {
    this.#dialect = dialect;
    this.#whole = dialect === 'openai' ? openAi(WORDS) : ollama(MODELS, WORDS);
  }

  readonly script: Script = (request, index) => {
    const behaviour = isChat(request) ? behaviourOf(request) : 'answer';
    if (behaviour === 'silent') return [stall];
    const whole = (): readonly Step[] =>
      typeof this.#whole === 'function' ? this.#whole(request, index) : this.#whole;
    if (behaviour === 'answer') return whole();
    if (behaviour === 'paced' && !isStream(request)) return [wait(wordsOf(request) * PACE_MS), ...whole()];
    if (behaviour === 'big') return this.#big(isStream(request));
    return isStream(request) ? this.#streamed(behaviour, wordsOf(request)) : this.#halfOf();
  };

  #streamed(behaviour: Behaviour, count: number): readonly Step[] {
    const words = this.#records(WORDS);
    const begun = [send(this.#head() + words.slice(0, 2).map(chunk).join(''))];
    if (behaviour === 'halfway') return [...begun, stall];
    if (behaviour === 'flood') return [...begun, flood(chunk((words[1] ?? '').repeat(256)), this.flooded)];
    const paced = this.#records(Array.from({ length: count }, (_, index) => `w${index} `));
    return [send(this.#head()), ...paced.flatMap((record) => [send(chunk(record)), wait(PACE_MS)]), END];
  }

  #big(stream: boolean): readonly Step[] {
    const words = Array.from({ length: 8 }, () => 'x'.repeat(2 * 1024 * 1024));
    if (stream)
      return [send(this.#head()), ...this.#records(words).map((record) => send(chunk(record))), END];
    const message = { role: 'assistant', content: words.join('') };
    return [json({ choices: [{ index: 0, message, finish_reason: 'stop' }] })];
  }

  #head(): string {
    return chunkedHead(this.#dialect === 'openai' ? 'text/event-stream' : 'application/x-ndjson');
  }

  /** Every record of an answer, framed as its dialect does. */
  #records(words: readonly string[]): readonly string[] {
    if (this.#dialect === 'openai') {
      return chatChunks('upstream-model', words, true).map((event) =>
        typeof event === 'string' ? `data: ${event}\n\n` : `data: ${JSON.stringify(event)}\n\n`,
      );
    }
    const record = (content: string, more: object): string =>
      `${JSON.stringify({ model: 'tiny:latest', message: { role: 'assistant', content }, ...more })}\n`;
    const end = { done: true, done_reason: 'stop', prompt_eval_count: 9, eval_count: words.length };
    return [...words.map((word) => record(word, { done: false })), record('', end)];
  }

  #halfOf(): readonly Step[] {
    const headers = { 'content-type': 'application/json', 'content-length': 1_000 };
    return [send(`${head(200, headers)}{"message":`), stall];
  }
}

function bodyOf(request: ReceivedRequest): Readonly<Record<string, unknown>> {
  const body = request.json();
  return typeof body === 'object' && body !== null ? { ...body } : {};
}

function isStream(request: ReceivedRequest): boolean {
  return bodyOf(request)['stream'] === true;
}

function lastSaid(request: ReceivedRequest): string {
  const { messages } = bodyOf(request) as { messages?: readonly { content?: unknown }[] };
  return String(messages?.at(-1)?.content);
}

function wordsOf(request: ReceivedRequest): number {
  return Number(lastSaid(request).split(' ')[1] ?? 0);
}

function behaviourOf(request: ReceivedRequest): Behaviour {
  const [said] = lastSaid(request).split(' ');
  return BEHAVIOURS.find((behaviour) => behaviour === said) ?? 'answer';
}

/** Whether a request asks for an answer, not about models. */
export function isChat(request: ReceivedRequest): boolean {
  return request.path === '/v1/chat/completions' || request.path === '/api/chat';
}
