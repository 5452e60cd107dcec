import { isObeliskError, ObeliskError } from '../shared/errors.ts';
import type { ChatContext, ChatEvent, ChatRequest, ChatWriter, Usage } from '../providers/chat.ts';
import type { Attempts } from '../router/attempts.ts';
import type { Deployment } from '../router/deployment.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { isPassedThrough } from './answering.ts';
import type { Answering } from './answering.ts';
import type { Call } from './call.ts';

/** What attempts of answers that are translated have in common. */
export type Routed = {
  readonly call: Call;
  readonly answering: Answering;
  readonly metrics: Metrics;
};

/** Writes down on the call whom the open attempt asks. */
export function noteAttempt({ call, answering: { attempts } }: Routed): void {
  call.deploymentId = attempts.deployment.id;
  if (attempts.deployment.mockResponse === undefined) call.attempts = attempts.made + attempts.repeats;
}

/** Counts that the upstream of the open attempt is asked once more. */
export function noteAskedAgain(call: Call, attempts: Attempts): void {
  attempts.repeats += 1;
  call.attempts = attempts.made + attempts.repeats;
}

/** Ends the open attempt well. */
export function noteSuccess({ call, answering, metrics }: Routed, usage: Usage): void {
  answering.attempts.succeeded(usage.promptTokens + usage.completionTokens);
  metrics.upstreamAttempt(call.deploymentId, 'ok');
}

/**
 * Ends the open attempt with what was thrown and begins the next one, after a pause where there is
 * one. `begun` says that the answer had begun, so that it is not asked for again.
 *
 * @throws What the client is told, where there is no further attempt.
 */
export async function afterFailure(
  { call, answering: { attempts }, metrics }: Routed,
  thrown: unknown,
  { begun, signal, unseen = false }: Failure,
): Promise<void> {
  if (!isObeliskError(thrown) || signal.aborted) {
    attempts.abandoned();
    metrics.upstreamAttempt(call.deploymentId, signal.aborted ? 'client_gone' : 'internal');
    throw thrown;
  }
  metrics.upstreamAttempt(call.deploymentId, thrown.code);
  // An answer of which nobody has seen a word is judged as if none had begun.
  const waitMs = unseen ? attempts.failed(thrown, 0) : attempts.failed(thrown, begun ? 200 : undefined);
  if (waitMs !== undefined && waitMs > 0) await pause(waitMs, signal);
  if (waitMs === undefined || signal.aborted || !attempts.again()) throw attempts.told(thrown);
}

/** How far an answer was when it failed. */
type Failure = {
  readonly begun: boolean;
  readonly signal: AbortSignal;
  /** Whether it had begun, but was held back, from a server that may be asked again at no price. */
  readonly unseen?: boolean;
};

/** What is asked of one deployment after the other, for an answer in one piece. */
export type AskInTurn<T> = {
  /** Prepares the question, which may show that it is none; what it gives asks the deployment. */
  prepare(deployment: Deployment): () => Promise<T>;
  usageOf(answer: T): Usage;
  /** As for writers. */
  readonly passes?: (deployment: Deployment) => boolean;
};

/**
 * Asks the deployments of a name until one has answered. Undefined where the next one is passed through.
 * @throws What the client is told.
 */
export async function askInTurn<T>(
  routed: Routed,
  { prepare, usageOf, passes = isPassedThrough }: AskInTurn<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const { attempts } = routed.answering;
  while (!passes(attempts.deployment)) {
    noteAttempt(routed);
    const ask = prepared(attempts, prepare);
    try {
      const answer = await ask();
      routed.call.usage = usageOf(answer);
      noteSuccess(routed, routed.call.usage);
      return answer;
    } catch (error) {
      await afterFailure(routed, error, { begun: false, signal });
    }
  }
  return undefined;
}

/** What shows that a question is none says nothing about the deployment. */
function prepared<T>(attempts: Attempts, prepare: AskInTurn<T>['prepare']): () => Promise<T> {
  try {
    return prepare(attempts.deployment);
  } catch (error) {
    attempts.abandoned();
    throw error;
  }
}

/** Waits, but not longer than somebody waits for the answer. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    }
  });
}

/** How deployments that are not passed through write. */
export type RoutedWriters = {
  readonly writerOf: (deployment: Deployment) => ChatWriter;
  /** The request with the defaults of a deployment. */
  readonly requestFor: (deployment: Deployment) => ChatRequest;
  /** Whether a deployment is left to who passes its answers through; those of the client's dialect unless told. */
  readonly passes?: (deployment: Deployment) => boolean;
};

/**
 * Makes one writer of the deployments of a name: until the first event, what fails is tried at the
 * next one. It ends without a `finish`, with its attempt open, where the next one is passed through.
 */
export function routeWriters(routed: Routed, writers: RoutedWriters): ChatWriter {
  const { attempts } = routed.answering;
  const { passes = isPassedThrough } = writers;
  return async function* (request, context): AsyncIterable<ChatEvent> {
    const { signal } = context;
    while (!passes(attempts.deployment)) {
      const progress = { begun: false };
      const held = !request.stream && attempts.hasOther && attempts.deployment.dialect === 'ollama';
      noteAttempt(routed);
      try {
        const events = writeOnce({ routed, writers, progress }, context);
        yield* held ? await all(events) : events;
        return;
      } catch (error) {
        const { begun } = progress;
        await afterFailure(routed, error, { begun, unseen: held && begun, signal });
      }
    }
  };
}

/**
 * The events of a whole answer. One in one piece, of a model that runs near, is held back where another
 * host has the model: should this one die, that one is asked, and the client never knows.
 */
async function all(events: AsyncIterable<ChatEvent>): Promise<readonly ChatEvent[]> {
  const held: ChatEvent[] = [];
  for await (const event of events) held.push(event);
  return held;
}

type Writing = {
  readonly routed: Routed;
  readonly writers: RoutedWriters;
  /** Whether something has been written: from there on nothing is tried again. */
  readonly progress: { begun: boolean };
};

/** The events of one attempt. */
async function* writeOnce(
  { routed, writers, progress }: Writing,
  context: ChatContext,
): AsyncIterable<ChatEvent> {
  const { attempts } = routed.answering;
  const { deployment } = attempts;
  const own = {
    ...context,
    clocks: attempts.clocks(true),
    hasOther: attempts.hasOther,
    onAskAgain: () => noteAskedAgain(routed.call, attempts),
  };
  let left = true;
  try {
    for await (const event of writers.writerOf(deployment)(writers.requestFor(deployment), own)) {
      if (!progress.begun) attempts.answered();
      progress.begun = true;
      if (event.type === 'finish') noteSuccess(routed, event.usage);
      yield event;
    }
    left = false;
  } catch (error) {
    left = false;
    throw error;
  } finally {
    // A reader that leaves says nothing about the deployment.
    if (left) attempts.abandoned();
  }
  if (attempts.open) {
    const message = `the answer of ${deployment.modelName} ended without being complete`;
    throw new ObeliskError('upstream_invalid', message);
  }
}
