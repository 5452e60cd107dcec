import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai';
import { ERROR_KINDS, ObeliskError } from '../../src/shared/errors.ts';
import type { ErrorCode } from '../../src/shared/errors.ts';
import { deployment, registryOf, startGateway } from '../gateway.ts';
import { assertError, caught, MESSAGES, openFailingSetting } from '../openai-errors.ts';
import type { ErrorClass, FailingSetting } from '../openai-errors.ts';

type Failure = {
  readonly code: ErrorCode;
  readonly thrown: ErrorClass;
  /** Whether the client asks again by itself. */
  readonly retried: boolean;
  readonly param?: string;
  /** Headers that the client sends besides its own. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly key?: string;
  /** Where it counts: requests that reach the gateway for one of the client's. */
  readonly hops?: number;
  readonly ask: (client: OpenAI) => Promise<unknown>;
};

const chat =
  (model: string): Failure['ask'] =>
  (client) =>
    client.chat.completions.create({ model, messages: MESSAGES });

/** What users of the client expect of each code (the client retries 408, 409, 429 and 5xx). */
const FAILURES: readonly Failure[] = [
  { code: 'invalid_request', thrown: BadRequestError, retried: false, param: 'model', ask: chat('') },
  {
    code: 'context_length_exceeded',
    thrown: BadRequestError,
    retried: false,
    param: 'messages',
    ask: chat('too-long'),
  },
  {
    code: 'unsupported',
    thrown: BadRequestError,
    retried: false,
    ask: (client) => client.completions.create({ model: 'fine', prompt: 'Hi' }),
  },
  {
    code: 'invalid_api_key',
    thrown: AuthenticationError,
    retried: false,
    key: 'sk-wrong',
    ask: chat('fine'),
  },
  {
    code: 'forbidden',
    thrown: PermissionDeniedError,
    retried: false,
    headers: { origin: 'https://evil.example' },
    ask: chat('fine'),
  },
  { code: 'model_not_found', thrown: NotFoundError, retried: false, param: 'model', ask: chat('nobody') },
  { code: 'not_found', thrown: NotFoundError, retried: false, ask: (client) => client.get('/nonsense') },
  {
    code: 'method_not_allowed',
    thrown: APIError,
    retried: false,
    ask: (client) => client.get('/chat/completions'),
  },
  {
    code: 'payload_too_large',
    thrown: APIError,
    retried: false,
    ask: (client) =>
      client.chat.completions.create({
        model: 'fine',
        messages: MESSAGES,
        user: 'x'.repeat(17 * 1024 * 1024),
      }),
  },
  {
    code: 'unsupported_media_type',
    thrown: APIError,
    retried: false,
    ask: (client) =>
      client.chat.completions.create(
        { model: 'fine', messages: MESSAGES },
        { headers: { 'content-type': 'text/plain' } },
      ),
  },
  { code: 'rate_limited', thrown: RateLimitError, retried: true, ask: chat('busy') },
  { code: 'upstream_error', thrown: InternalServerError, retried: true, ask: chat('broken') },
  { code: 'upstream_unreachable', thrown: InternalServerError, retried: true, ask: chat('nowhere') },
  { code: 'upstream_invalid', thrown: InternalServerError, retried: true, ask: chat('a-page') },
  { code: 'upstream_auth', thrown: InternalServerError, retried: false, ask: chat('no-key') },
  { code: 'upstream_timeout', thrown: InternalServerError, retried: true, ask: chat('silent') },
  { code: 'loop_detected', thrown: InternalServerError, retried: false, hops: 2, ask: chat('myself') },
];

/** Codes that a program which is well cannot be brought to; they are driven otherwise below. */
const ELSEWHERE: readonly ErrorCode[] = [
  'request_timeout',
  'client_gone',
  'internal',
  'model_unavailable',
  'overloaded',
  'store_failed',
];

describe('what the official openai client throws for every code, and when it asks again', () => {
  let setting: FailingSetting;
  before(async () => {
    setting = await openFailingSetting();
  });
  after(async () => {
    await setting[Symbol.asyncDispose]();
  });

  it('has a case for every code that is answered over HTTP', () => {
    const codes = Object.entries(ERROR_KINDS).filter(([, { status }]) => status !== 0);
    const driven = new Set<string>([...FAILURES.map(({ code }) => code), ...ELSEWHERE]);
    assert.deepEqual(
      codes.map(([code]) => code).filter((code) => !driven.has(code)),
      [],
    );
  });

  for (const failure of FAILURES) {
    const { code, thrown, retried, param, headers, key, hops = 1, ask } = failure;
    it(`throws ${thrown.name} for ${code} and asks ${retried ? 'once more' : 'once'}`, async () => {
      const client = setting.client({
        ...(key && { apiKey: key }),
        ...(headers && { defaultHeaders: headers }),
      });
      const before = await setting.requests();
      const startedMs = performance.now();
      assertError(await caught(ask(client)), { code, thrown, ...(param === undefined ? {} : { param }) });
      assert.equal((await setting.requests()) - before, (retried ? 2 : 1) * hops);
      // The upstream's `retry-after: 1` reaches the client, which waits as long.
      if (code === 'rate_limited') assert.ok(performance.now() - startedMs >= 950);
    });
  }

  it('throws for a body that comes too slowly', async () => {
    const slowly = new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode('{"model":'));
        await sleep(5_000, undefined, { ref: false });
        controller.close();
      },
    });
    const client = setting.client({
      maxRetries: 0,
      fetch: (url, init) => fetch(url, { ...init, body: slowly, duplex: 'half' }),
    });
    assertError(await caught(chat('fine')(client)), { code: 'request_timeout', thrown: APIError });
  });

  it('gets through an overload by itself, because it waits as long as it is told to', async () => {
    setting.program.signal('SIGSTOP');
    await sleep(1_600);
    setting.program.signal('SIGCONT');
    while ((await fetch(`${setting.program.url}/health/ready`)).status !== 503) await sleep(10);
    assertError(await caught(chat('fine')(setting.client({ maxRetries: 0 }))), {
      code: 'overloaded',
      thrown: InternalServerError,
    });
    const completion = await setting.client({ maxRetries: 3 }).chat.completions.create({
      model: 'fine',
      messages: MESSAGES,
    });
    assert.equal(completion.choices[0]?.message.content, 'Hello there!');
  });
});

describe('the official openai client against a gateway with a defect, and one whose host is away', () => {
  for (const [code, model, asked] of [
    ['internal', 'defect', 2],
    ['model_unavailable', 'away-model', 1],
    ['store_failed', 'vault/notes', 2],
  ] as const) {
    it(`throws InternalServerError for ${code} and asks ${asked === 1 ? 'once' : 'once more'}`, async () => {
      const chatModel = deployment({ modelName: 'defect', dialect: 'ollama' });
      const vault = deployment({ modelName: 'vault/notes', dialect: 'vault' });
      const unused = (): never => assert.fail('the test has no such writer');
      await using gateway = await startGateway([chatModel, vault], {
        registry: registryOf([chatModel, vault], ['away-model']),
        writers: { ollama: unused, extractive: unused, vault: () => failWith('store_failed') },
      });
      const client = new OpenAI({ baseURL: `${gateway.origin}/v1`, apiKey: 'any', maxRetries: 1 });
      assertError(await caught(chat(model)(client)), {
        code,
        thrown: InternalServerError,
        ...(code === 'model_unavailable' ? { param: 'model' } : {}),
      });
      assert.equal(gateway.outcomes().length, asked);
    });
  }
});

function failWith(code: ErrorCode): never {
  throw new ObeliskError(code, 'the index of notes cannot be used: there is no space left');
}
