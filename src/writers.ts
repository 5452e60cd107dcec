import type { Settings } from './config/settings.ts';
import type { ChatWriters } from './gateway/chat-route.ts';
import type { InProcessClient } from './gateway/in-process-chat.ts';
import type { ChatContext, ChatEvent, ChatRequest, ChatWriter } from './providers/chat.ts';
import type { WriterModel } from './rag/answer/answer-task.ts';
import type { VaultLibrary } from './rag/library.ts';
import { contextOf } from './router/deployment.ts';
import type { Deployment, ModelRegistry } from './router/deployment.ts';
import { ObeliskError } from './shared/errors.ts';
import type { Logger } from './telemetry/log.ts';

/** What the writers of our own are made of. */
export type AnswerWritersOptions = {
  readonly settings: Settings;
  readonly registry: ModelRegistry;
  readonly library: VaultLibrary;
  readonly gateway: InProcessClient;
  readonly logger: Logger;
  /** Where the server is reached; empty while nothing listens. */
  readonly publicUrl: () => string;
};

/** Creates the writers that are no upstream: a vault, and the extractive writer by its own name. */
export function createAnswerWriters(options: AnswerWritersOptions): Omit<ChatWriters, 'ollama'> {
  const vault = createLazyVaultWriter(options);
  return { vault: () => vault, extractive: () => refuseWithoutVault(options.library) };
}

/** A gateway without vaults is never asked for what writes from them, and does not load it. */
function createLazyVaultWriter(options: AnswerWritersOptions): ChatWriter {
  const { library, gateway, logger, publicUrl } = options;
  let writer: ChatWriter | undefined;
  return async function* write(request: ChatRequest, context: ChatContext): AsyncGenerator<ChatEvent> {
    const { createVaultWriter } = await import('./rag/answer/answer.ts');
    writer ??= createVaultWriter({
      library,
      chat: gateway.chat,
      chooseModel: (asked) => chooseModel(asked, options),
      logger,
      publicUrl,
    });
    yield* writer(request, context);
  };
}

/**
 * Who writes a vault's answer: the model that was asked for, else the configured one, else the
 * default one, which is never one that vault text would leave the machine for.
 */
function chooseModel(
  asked: string | undefined,
  { settings, registry }: AnswerWritersOptions,
): WriterModel | undefined {
  const named = asked ?? settings.rag.model;
  if (named === undefined) {
    const found = registry.defaultChat();
    return found === undefined ? undefined : toWriter(found.modelName, found);
  }
  const resolution = registry.resolve(named);
  // A name that cannot be asked now is asked all the same: the gateway says what is wrong with it.
  return resolution.kind === 'found' ? toWriter(named, resolution.deployment) : { model: named };
}

function toWriter(model: string, { capabilities }: Deployment): WriterModel {
  const contextTokens = contextOf(capabilities);
  return contextTokens === undefined ? { model } : { model, contextTokens };
}

/**
 * It quotes notes, so it needs some; a plain chat with it has nothing to quote from.
 * @throws ObeliskError `unsupported`.
 */
function refuseWithoutVault(library: VaultLibrary): never {
  const [vault = '<name>'] = library.names();
  throw new ObeliskError(
    'unsupported',
    `the extractive writer quotes a vault's notes; ask the model vault/${vault}:extractive`,
    { param: 'model' },
  );
}
