import { Agent, request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { MODEL } from '../gateway/bodies.ts';
import type { Program } from '../gateway/processes.ts';
import type { Tally } from './verdict.ts';

/** Share of requests that are streams, and of streams whose client leaves before the end. */
const STREAM_SHARE = 0.2;
const LEAVE_SHARE = 0.05;
const LEAVE_MS = 300;
const LIMIT_MS = 60_000;
const CONTENT = 'What is the meaning of all this? '.repeat(26);

/** Clients that ask at a steady rate, whatever became of what they asked before. */
export class Clients {
  readonly #program: Program;
  readonly #random: () => number;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #faults: ReadonlyMap<string, string>;
  #number = 0;
  #open = 0;
  #answered = 0;
  #failedAsInjected = 0;
  #failedOtherwise = 0;
  #lied = 0;
  #example: string | undefined;

  constructor(
    program: Program,
    from: { readonly faults: ReadonlyMap<string, string>; readonly random: () => number },
  ) {
    this.#program = program;
    this.#faults = from.faults;
    this.#random = from.random;
  }

  /** Asks `rate` times a second until the given time has gone by, then waits for what is open. */
  async run(rate: number, forMs: number): Promise<void> {
    const startedMs = performance.now();
    let asked = 0;
    while (performance.now() - startedMs < forMs) {
      const due = ((performance.now() - startedMs) / 1_000) * rate;
      for (; asked < due; asked += 1) this.#ask();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const deadline = performance.now() + LIMIT_MS;
    while (this.#open > 0 && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  get tally(): Tally {
    return {
      answered: this.#answered,
      failedAsInjected: this.#failedAsInjected,
      failedOtherwise: this.#failedOtherwise,
      lied: this.#lied,
      injected: this.#faults.size,
      ...(this.#example === undefined ? {} : { example: this.#example }),
    };
  }

  /** Closes the connections that are kept open. */
  close(): void {
    this.#agent.destroy();
  }

  #ask(): void {
    this.#number += 1;
    const user = `soak-${this.#number}`;
    const stream = this.#random() < STREAM_SHARE;
    const leaves = stream && this.#random() < LEAVE_SHARE;
    const messages = [{ role: 'user', content: CONTENT }];
    const body = JSON.stringify({ model: MODEL, user, stream, messages });
    const sent = request(`${this.#program.origin}/v1/chat/completions`, {
      method: 'POST',
      agent: this.#agent,
      headers: {
        ...this.#program.headers,
        'content-type': 'application/json',
        'content-length': body.length,
      },
    });
    this.#open += 1;
    let settled = false;
    const settle = (outcome: string | undefined): void => {
      if (settled) return;
      settled = true;
      this.#open -= 1;
      if (!leaves) this.#count(user, outcome);
    };
    sent.setTimeout(LIMIT_MS, () => sent.destroy(new Error('no answer in time')));
    sent.on('response', (response) => {
      if (leaves) leave(sent);
      read(response, stream, settle);
    });
    sent.on('error', (error) => settle(error.message));
    sent.end(body);
  }

  #count(user: string, failure: string | undefined): void {
    if (failure === undefined) {
      this.#answered += 1;
      return;
    }
    if (failure.startsWith(LIE)) this.#lied += 1;
    else if (this.#faults.has(user)) {
      this.#failedAsInjected += 1;
      return;
    } else this.#failedOtherwise += 1;
    this.#example ??= `${user}: ${failure.slice(0, 200)}`;
  }
}

const LIE = 'looked whole: ';

function leave(sent: ClientRequest): void {
  setTimeout(() => sent.destroy(), LEAVE_MS);
}

/** Reads an answer to its end; tells why it is a failure, or nothing when it is whole. */
function read(
  response: IncomingMessage,
  stream: boolean,
  settle: (failure: string | undefined) => void,
): void {
  let text = '';
  response.setEncoding('latin1');
  response.on('data', (chunk: string) => (text += chunk));
  response.on('error', (error) => settle(error.message));
  response.on('end', () => {
    if (response.statusCode !== 200) settle(`${response.statusCode} ${text}`);
    else settle(stream ? judgeStream(text) : judgeJson(text));
  });
}

function judgeStream(text: string): string | undefined {
  if (text.includes('"error"')) return text.slice(text.indexOf('"error"'));
  if (text.includes('"finish_reason":"stop"') && text.includes('data: [DONE]')) return undefined;
  return `${LIE}a stream without its end`;
}

function judgeJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return `${LIE}${text.slice(-100)}`;
  }
}
