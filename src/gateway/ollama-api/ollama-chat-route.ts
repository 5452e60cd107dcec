import type { ChatRequest, ChatWriter } from '../../providers/chat.ts';
import { createDoorBuilder, createDoorStream } from '../../providers/ollama/door/door-answer.ts';
import type { DoorAnswer } from '../../providers/ollama/door/door-answer.ts';
import { parseDoorChat } from '../../providers/ollama/door/door-chat.ts';
import { toDoorError } from '../../providers/ollama/door/door-error.ts';
import type { Deployment } from '../../router/deployment.ts';
import type { AnswerForm } from '../answer-form.ts';
import { isPassedThrough, isUpstream } from '../answering.ts';
import type { Answering } from '../answering.ts';
import type { Call } from '../call.ts';
import { writerOf } from '../chat-route.ts';
import type { ChatRouteOptions } from '../chat-route.ts';
import { createOpenAiWriter } from '../openai-writer.ts';
import { letOthersGoFirst, parseWithDefaults, readJsonBody } from '../request-body.ts';
import { findModel } from '../resolve-model.ts';
import { routeWriters } from '../routed-attempts.ts';
import { answerTranslated } from '../translated-chat.ts';
import type { TranslatedChat } from '../translated-chat.ts';
import { doorModelName } from './door-model.ts';

/** What the routes of Ollama's API that write an answer are made of. */
export type OllamaChatOptions = ChatRouteOptions & { readonly monotonicMs: () => number };

/** Creates `POST /api/chat`. */
export function createOllamaChatRoute(options: OllamaChatOptions): (call: Call) => Promise<void> {
  return async (call) => {
    const startedMs = options.monotonicMs();
    const scan = await readJsonBody(call.request);
    await letOthersGoFirst(scan);
    const request = parseDoorChat(parseWithDefaults(scan, {}));
    const found = await findModel(options.registry, doorModelName(options.registry, request.model), 'chat');
    call.model = found.deployment.modelName;
    const { unixMs, monotonicMs } = options;
    const answer: DoorAnswer = { kind: 'chat', model: request.model, unixMs, monotonicMs, startedMs };
    await answerDoor(call, { request, found, form: formOf(answer) }, options);
  };
}

type DoorChat = {
  readonly request: ChatRequest;
  readonly found: { readonly deployment: Deployment; readonly group: readonly Deployment[] };
  readonly form: AnswerForm;
};

/** Has an answer written by the deployments of a name, whatever their dialects, in Ollama's form. */
async function answerDoor(call: Call, chat: DoorChat, options: OllamaChatOptions): Promise<void> {
  const { request, found, form } = chat;
  const { deployment, group } = found;
  const { heartbeat, logger, metrics, writers } = options;
  const translated: Omit<TranslatedChat, 'write'> = { request, form, ignored: [], heartbeat, logger };
  const openAi = createOpenAiWriter(options, call.hops);
  const write = (next: Deployment): ChatWriter =>
    isPassedThrough(next) ? openAi(next) : writerOf(next, writers);
  if (!isUpstream(deployment)) {
    call.deploymentId = deployment.id;
    await answerTranslated(call, { ...translated, write: write(deployment) });
    return;
  }
  const attempts = options.balancer.begin(group);
  const answering: Answering = { attempts, events: undefined, elsewhere: () => undefined };
  const routed = routeWriters(
    { call, answering, metrics },
    { writerOf: write, requestFor: () => request, passes: () => false },
  );
  await answerTranslated(call, { ...translated, write: routed, answering });
}

function formOf(answer: DoorAnswer): AnswerForm {
  const stream = createDoorStream(answer);
  return {
    framing: {
      contentType: 'application/x-ndjson',
      alive: () => stream.empty(),
      failure: (error) => `${toDoorError(error)}\n`,
    },
    writer: () => ({ start: () => '', event: (event) => stream.event(event) }),
    builder: () => createDoorBuilder(answer),
  };
}
