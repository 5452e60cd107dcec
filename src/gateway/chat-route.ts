import { ObeliskError } from '../shared/errors.ts';
import type { ChatWriter } from '../providers/chat.ts';
import { parseChatRequest } from '../providers/openai/chat-request.ts';
import { ignoredFields } from '../providers/openai/ignored-fields.ts';
import type { Attempts } from '../router/attempts.ts';
import type { Balancer } from '../router/balancer.ts';
import type { Deployment, ModelRegistry } from '../router/deployment.ts';
import type { Scan } from '../wire/json-scan.ts';
import { createOpenAiForm } from './answer-form.ts';
import { isPassedThrough, isUpstream } from './answering.ts';
import type { Answering } from './answering.ts';
import type { Call } from './call.ts';
import { createMockWriter } from './mock-writer.ts';
import { passThrough } from './pass-through.ts';
import type { PassThroughDependencies } from './pass-through-request.ts';
import { letOthersGoFirst, parseWithDefaults, readJsonBody } from './request-body.ts';
import { findModel } from './resolve-model.ts';
import type { FoundModel } from './resolve-model.ts';
import { routeWriters } from './routed-attempts.ts';
import { answerTranslated } from './translated-chat.ts';
import type { TranslatedChat } from './translated-chat.ts';

/** Who writes the answers of deployments that do not speak OpenAI's dialect. */
export type ChatWriters = {
  readonly ollama: (deployment: Deployment) => ChatWriter;
  readonly vault: (deployment: Deployment) => ChatWriter;
  readonly extractive: ChatWriter;
};

/** What the chat route is made of. */
export type ChatRouteOptions = PassThroughDependencies & {
  readonly registry: ModelRegistry;
  readonly balancer: Balancer;
  readonly writers: ChatWriters;
  /** Text that no other answer has had. */
  readonly randomId: () => string;
};

const ASK_FOR_USAGE = '{"include_usage":true}';

/** Creates `POST /v1/chat/completions`. What is there already is not waited for: most requests need no promise. */
export function createChatRoute(options: ChatRouteOptions): (call: Call) => void | Promise<void> {
  return (call) => {
    const scan = readJsonBody(call.request);
    return scan instanceof Promise
      ? scan.then((read) => findAndAnswer(call, read, options))
      : findAndAnswer(call, scan, options);
  };
}

function findAndAnswer(call: Call, scan: Scan, options: ChatRouteOptions): void | Promise<void> {
  const asked = scan.value('model');
  const found = findModel(options.registry, asked, 'chat');
  const turn = letOthersGoFirst(scan);
  if (turn === undefined && !(found instanceof Promise)) return answer(call, { scan, asked, found }, options);
  return Promise.all([found, turn]).then(([model]) => answer(call, { scan, asked, found: model }, options));
}

type FoundChat = { readonly scan: Scan; readonly asked: unknown; readonly found: FoundModel };

function answer(
  call: Call,
  { scan, asked, found }: FoundChat,
  options: ChatRouteOptions,
): void | Promise<void> {
  const { deployment, group } = found;
  call.model = deployment.modelName;
  if (!isUpstream(deployment)) {
    call.deploymentId = deployment.id;
    return answerHere(call, { scan, deployment }, options);
  }
  return new RoutedChat(call, { scan, asked, attempts: options.balancer.begin(group) }, options).answer();
}

async function answerHere(
  call: Call,
  chat: { readonly scan: Scan; readonly deployment: Deployment },
  options: ChatRouteOptions,
): Promise<void> {
  const write = writerOf(chat.deployment, options.writers);
  await answerTranslated(call, { ...toTranslated(chat, options), write });
}

type AskedChat = { readonly scan: Scan; readonly asked: unknown; readonly attempts: Attempts };

/** A chat on its way through the deployments of a name, of whatever dialects. */
class RoutedChat {
  readonly #call: Call;
  readonly #chat: AskedChat;
  readonly #options: ChatRouteOptions;
  readonly #answering: Answering;

  constructor(call: Call, chat: AskedChat, options: ChatRouteOptions) {
    this.#call = call;
    this.#chat = chat;
    this.#options = options;
    this.#answering = { attempts: chat.attempts, events: undefined, elsewhere: () => void this.answer() };
  }

  /** Answers with the deployment whose turn it is, and those after it. Never rejects after an attempt failed. */
  answer(): void | Promise<void> {
    try {
      if (!isPassedThrough(this.#chat.attempts.deployment)) return this.#answerTranslated();
      this.#pass();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #answerTranslated(): Promise<void> {
    try {
      if (!(await this.#translate())) this.#pass();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#chat.attempts.abandoned();
    if (this.#answering.events) this.#answering.events.fail(error);
    else this.#call.fail(error);
  }

  async #translate(): Promise<boolean> {
    const { scan, attempts } = this.#chat;
    const { deployment } = attempts;
    const translated = toTranslated({ scan, deployment }, this.#options);
    await letOthersGoFirst(scan);
    const routed = { call: this.#call, answering: this.#answering, metrics: this.#options.metrics };
    const write = routeWriters(routed, {
      writerOf: (next) => writerOf(next, this.#options.writers),
      requestFor: (next) =>
        next.defaults === deployment.defaults
          ? translated.request
          : parseChatRequest(parseWithDefaults(scan, next.defaults)),
    });
    return answerTranslated(this.#call, { ...translated, write, answering: this.#answering });
  }

  #pass(): void {
    const { scan, asked } = this.#chat;
    const stream = requireStream(scan);
    const stripUsage = stream && !asksForUsage(scan);
    passThrough(
      this.#call,
      {
        answering: this.#answering,
        path: '/chat/completions',
        proof: 'choices',
        scan,
        asked,
        stream,
        stripUsage,
        several: asksForSeveral(scan),
        set: stripUsage ? { stream_options: withUsage(scan) } : undefined,
      },
      this.#options,
    );
  }
}

/** What translating a chat needs, but for its writer. */
function toTranslated(
  { scan, deployment }: { readonly scan: Scan; readonly deployment: Deployment },
  { randomId, unixMs, heartbeat, logger }: ChatRouteOptions,
): Omit<TranslatedChat, 'write'> {
  const body = parseWithDefaults(scan, deployment.defaults);
  const request = parseChatRequest(body);
  const created = Math.floor(unixMs() / 1_000);
  return {
    request,
    ignored: ignoredFields(body),
    form: createOpenAiForm(
      { id: `chatcmpl-${randomId()}`, created, model: request.model },
      request.includeUsage,
    ),
    heartbeat,
    logger,
  };
}

/** Gives the writer of a deployment that is not passed through. */
export function writerOf(deployment: Deployment, writers: ChatWriters): ChatWriter {
  if (deployment.mockResponse !== undefined) return createMockWriter(deployment.mockResponse);
  switch (deployment.dialect) {
    case 'ollama':
      return writers.ollama(deployment);
    case 'vault':
      return writers.vault(deployment);
    case 'extractive':
      return writers.extractive;
    default:
      throw new Error('an OpenAI-compatible deployment is passed through');
  }
}

function requireStream(scan: Scan): boolean {
  const stream = scan.value('stream') ?? false;
  if (typeof stream === 'boolean') return stream;
  throw new ObeliskError('invalid_request', 'stream: expected true or false', { param: 'stream' });
}

function streamOptions(scan: Scan): Readonly<Record<string, unknown>> {
  const options = scan.value('stream_options') ?? {};
  if (typeof options === 'object' && !Array.isArray(options)) return { ...options };
  throw new ObeliskError('invalid_request', 'stream_options: expected an object', {
    param: 'stream_options',
  });
}

function asksForUsage(scan: Scan): boolean {
  return streamOptions(scan)['include_usage'] === true;
}

function asksForSeveral(scan: Scan): boolean {
  const count = scan.value('n');
  return typeof count === 'number' && count > 1;
}

/** Every stream is asked for its usage, so that tokens are counted; other options stay. */
function withUsage(scan: Scan): string {
  if (!scan.members.has('stream_options')) return ASK_FOR_USAGE;
  return JSON.stringify({ ...streamOptions(scan), include_usage: true });
}
