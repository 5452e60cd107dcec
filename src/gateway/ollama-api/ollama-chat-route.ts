import type { ChatRequest, ChatWriter } from '../../providers/chat.ts';
import {
  createDoorBuilder,
  createDoorStream,
  toLoadAnswer,
} from '../../providers/ollama/door/door-answer.ts';
import type { DoorAnswer } from '../../providers/ollama/door/door-answer.ts';
import { parseDoorChat } from '../../providers/ollama/door/door-chat.ts';
import { toDoorError } from '../../providers/ollama/door/door-error.ts';
import { onlyOllama, parseDoorGenerate } from '../../providers/ollama/door/door-generate.ts';
import type { Deployment } from '../../router/deployment.ts';
import { ObeliskError } from '../../shared/errors.ts';
import type { AnswerForm } from '../answer-form.ts';
import { isPassedThrough, isUpstream } from '../answering.ts';
import type { Answering } from '../answering.ts';
import type { Call } from '../call.ts';
import { writerOf } from '../chat-route.ts';
import type { ChatRouteOptions } from '../chat-route.ts';
import { createOpenAiWriter } from '../openai-writer.ts';
import { letOthersGoFirst, parseWithDefaults, readJsonBody } from '../request-body.ts';
import { findModel } from '../resolve-model.ts';
import type { FoundModel } from '../resolve-model.ts';
import { routeWriters } from '../routed-attempts.ts';
import { answerTranslated } from '../translated-chat.ts';
import type { TranslatedChat } from '../translated-chat.ts';
import { doorModelName } from './door-model.ts';
import { changeRunner } from './ollama-load.ts';
import type { LoadOptions } from './ollama-load.ts';

/** What the routes of Ollama's API that write an answer are made of. */
export type OllamaChatOptions = ChatRouteOptions & LoadOptions & { readonly monotonicMs: () => number };

/** Creates `POST /api/chat`. */
export function createOllamaChatRoute(options: OllamaChatOptions): (call: Call) => Promise<void> {
  return (call) =>
    answerDoor(
      call,
      { kind: 'chat', parse: parseDoorChat, asksNothing: ({ messages }) => messages.length === 0 },
      options,
    );
}

/** Creates `POST /api/generate`. */
export function createOllamaGenerateRoute(options: OllamaChatOptions): (call: Call) => Promise<void> {
  return (call) =>
    answerDoor(
      call,
      {
        kind: 'generate',
        parse: parseDoorGenerate,
        asksNothing: ({ completion }) => completion?.prompt === '' && completion.images === undefined,
      },
      options,
    );
}

type Door = {
  readonly kind: DoorAnswer['kind'];
  parse(body: unknown): ChatRequest;
  /** Whether the request is only about the model's runner. */
  asksNothing(request: ChatRequest): boolean;
};

async function answerDoor(call: Call, door: Door, options: OllamaChatOptions): Promise<void> {
  const startedMs = options.monotonicMs();
  const scan = await readJsonBody(call.request);
  await letOthersGoFirst(scan);
  const asked = door.parse(parseWithDefaults(scan, {}));
  const { registry, unixMs, monotonicMs } = options;
  const loads = door.asksNothing(asked);
  // A vault reads who writes off the name.
  const request = { ...asked, model: doorModelName(registry, asked.model) };
  const found = await findModel(registry, request.model, loads ? 'any' : 'chat');
  call.model = found.deployment.modelName;
  const answer: DoorAnswer = { kind: door.kind, model: asked.model, unixMs, monotonicMs, startedMs };
  if (!loads) {
    await answerByWriters(call, { request, found, form: formOf(answer) }, options);
    return;
  }
  const headers: Record<string, string> = {};
  try {
    const to = await changeRunner(call, { found, request, headers }, options);
    call.json(200, toLoadAnswer(answer, to), headers);
  } catch (error) {
    call.fail(error, headers);
  }
}

type DoorChat = {
  readonly request: ChatRequest;
  readonly found: FoundModel;
  readonly form: AnswerForm;
};

/** Has an answer written by the deployments of a name, whatever their dialects, in Ollama's form. */
async function answerByWriters(call: Call, chat: DoorChat, options: OllamaChatOptions): Promise<void> {
  const { request, found, form } = chat;
  const { deployment, group } = found;
  const { heartbeat, logger, metrics, writers } = options;
  const translated: Omit<TranslatedChat, 'write'> = { request, form, ignored: [], heartbeat, logger };
  const openAi = createOpenAiWriter(options, call.hops);
  const write = (next: Deployment): ChatWriter => {
    requireTurns(request, next);
    return isPassedThrough(next) ? openAi(next) : writerOf(next, writers);
  };
  if (!isUpstream(deployment)) {
    call.deploymentId = deployment.id;
    await answerTranslated(call, { ...translated, write: write(deployment) });
    return;
  }
  requireTurns(request, deployment);
  const attempts = options.balancer.begin(group);
  const answering: Answering = { attempts, events: undefined, elsewhere: () => undefined };
  const routed = routeWriters(
    { call, answering, metrics },
    { writerOf: write, requestFor: () => request, passes: () => false },
  );
  await answerTranslated(call, { ...translated, write: routed, answering });
}

/** @throws ObeliskError `unsupported` where a model from elsewhere is asked what only Ollama's own can do. */
function requireTurns({ completion }: ChatRequest, { dialect, modelName }: Deployment): void {
  const names = completion && dialect !== 'ollama' ? onlyOllama(completion) : [];
  const [name] = names;
  if (name === undefined) return;
  throw new ObeliskError(
    'unsupported',
    `"${modelName}" does not support ${names.join(', ')}: it is no model of an Ollama; leave them out or ask another model`,
    { param: name },
  );
}

function formOf(answer: DoorAnswer): AnswerForm {
  const stream = createDoorStream(answer);
  return {
    framing: {
      contentType: 'application/x-ndjson',
      alive: (_begun, waiting) => stream.empty(waiting),
      failure: (error) => `${toDoorError(error)}\n`,
    },
    writer: () => ({ start: () => '', event: (event) => stream.event(event) }),
    builder: () => createDoorBuilder(answer),
  };
}
