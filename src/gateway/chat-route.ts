import { ObeliskError } from '../shared/errors.ts';
import type { ChatWriter } from '../providers/chat.ts';
import { parseChatRequest } from '../providers/openai/chat-request.ts';
import { ignoredFields } from '../providers/openai/ignored-fields.ts';
import type { Deployment, ModelRegistry } from '../router/deployment.ts';
import type { Scan } from '../wire/json-scan.ts';
import type { Call } from './call.ts';
import { createMockWriter } from './mock-writer.ts';
import { passThrough } from './pass-through.ts';
import type { PassThroughDependencies } from './pass-through.ts';
import { parseWithDefaults, readJsonBody, spliceBody } from './request-body.ts';
import { resolveModel } from './resolve-model.ts';
import { answerTranslated } from './translated-chat.ts';
import type { TargetOf } from './upstream-target.ts';

/** Who writes the answers of deployments that do not speak OpenAI's dialect. */
export type ChatWriters = {
  readonly ollama: (deployment: Deployment) => ChatWriter;
  readonly vault: (deployment: Deployment) => ChatWriter;
  readonly extractive: ChatWriter;
};

/** What the chat route is made of. */
export type ChatRouteOptions = PassThroughDependencies & {
  readonly registry: ModelRegistry;
  readonly writers: ChatWriters;
  readonly targetOf: TargetOf;
  /** Text that no other answer has had. */
  readonly randomId: () => string;
};

const ASK_FOR_USAGE = '{"include_usage":true}';

/** Creates `POST /v1/chat/completions`. */
export function createChatRoute(options: ChatRouteOptions): (call: Call) => Promise<void> {
  return async (call) => {
    const scan = await readJsonBody(call.request);
    const asked = scan.value('model');
    const deployment = resolveModel(options.registry, asked, 'chat');
    call.model = deployment.modelName;
    call.deploymentId = deployment.id;
    if (deployment.dialect === 'openai' && deployment.mockResponse === undefined) {
      passChat(call, { scan, asked, deployment }, options);
      return;
    }
    const body = parseWithDefaults(scan, deployment.defaults);
    const request = parseChatRequest(body);
    await answerTranslated(call, {
      request,
      ignored: ignoredFields(body),
      write: writerOf(deployment, options.writers),
      identity: {
        id: `chatcmpl-${options.randomId()}`,
        created: Math.floor(options.unixMs() / 1_000),
        model: request.model,
      },
      heartbeat: options.heartbeat,
      logger: options.logger,
    });
  };
}

function writerOf(deployment: Deployment, writers: ChatWriters): ChatWriter {
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

type ChatPassage = { readonly scan: Scan; readonly asked: unknown; readonly deployment: Deployment };

function passChat(call: Call, { scan, asked, deployment }: ChatPassage, options: ChatRouteOptions): void {
  const target = options.targetOf(deployment);
  const stream = requireStream(scan);
  const addUsage = stream && !asksForUsage(scan);
  passThrough(
    call,
    {
      target,
      path: '/chat/completions',
      proof: 'choices',
      stream,
      stripUsage: addUsage,
      body: spliceBody(scan, {
        asked,
        model: deployment.model,
        defaults: target.defaults,
        ...(addUsage ? { set: { stream_options: withUsage(scan) } } : {}),
      }),
    },
    options,
  );
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

/** Every stream is asked for its usage, so that tokens are counted; other options stay. */
function withUsage(scan: Scan): string {
  if (!scan.members.has('stream_options')) return ASK_FOR_USAGE;
  return JSON.stringify({ ...streamOptions(scan), include_usage: true });
}
