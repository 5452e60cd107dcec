import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf, ObeliskError } from '../../shared/errors.ts';
import type { Logger } from '../../telemetry/log.ts';
import type {
  HostStatus,
  OperationName,
  Operations,
  WireError,
  WorkerMessage,
  WorkerSetup,
} from './protocol.ts';

/** What a client is made with. */
export type WorkerClientOptions = {
  /** Asked at each start of a worker. */
  readonly setup: () => WorkerSetup;
  readonly logger: Logger;
  readonly onStatus: (statuses: readonly HostStatus[]) => void;
  /** The worker died twice; nothing can be asked any more. */
  readonly onLost: (error: ObeliskError) => void;
};

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: ObeliskError) => void };

/** The file runs as `.ts` in the sources and as `.js` where it was built. */
const WORKER_FILE = new URL(`./worker${path.extname(import.meta.url)}`, import.meta.url);
const MOST_STARTS = 2;
/** V8 would give the garbage of indexing three times as much: 80 MB more resident for no speed. */
const YOUNG_GENERATION_MB = 16;

/** The main thread's side of the worker: calls and their replies, one new start after a crash. */
export class WorkerClient {
  readonly #options: WorkerClientOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;
  #starts = 0;
  #lost: ObeliskError | undefined;
  #closing = false;

  constructor(options: WorkerClientOptions) {
    this.#options = options;
    this.#start();
  }

  /** @throws ObeliskError what the operation throws, `internal` when the worker died. */
  async call<Name extends OperationName>(
    name: Name,
    request: Operations[Name]['request'],
    signal?: AbortSignal,
  ): Promise<Operations[Name]['reply']> {
    signal?.throwIfAborted();
    const worker = this.#worker;
    if (worker === undefined) throw this.#lost ?? closed();
    const id = (this.#lastId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    const onAbort = (): void => {
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      worker.postMessage({ id, name, request });
      // The worker answers each operation with its own reply type; `Operations` is the one list of both.
      return (await promise) as Operations[Name]['reply'];
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Lets the worker finish its slice and close its files. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined || this.#closing) return;
    this.#closing = true;
    const exited = new Promise<void>((resolve) => worker.once('exit', resolve));
    await this.call('close', null);
    await exited;
  }

  #start(): void {
    this.#starts += 1;
    // Flags of the main program (`--input-type`, `--test`) are not the worker's; some make it end at once.
    const worker = new Worker(WORKER_FILE, {
      workerData: this.#options.setup(),
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    let failure: unknown;
    worker.on('message', (message: WorkerMessage) => {
      this.#take(message);
    });
    worker.on('error', (error) => {
      failure = error;
    });
    worker.on('exit', () => {
      this.#ended(failure);
    });
    this.#worker = worker;
  }

  #take(message: WorkerMessage): void {
    switch (message.type) {
      case 'reply':
        this.#waiting.get(message.id)?.resolve(message.value);
        return;
      case 'failure':
        this.#waiting.get(message.id)?.reject(this.#toError(message.error));
        return;
      case 'status':
        this.#options.onStatus(message.statuses);
        return;
      default:
        this.#options.logger[message.level](message.message, message.fields);
    }
  }

  #toError({ code, message, stack }: WireError): ObeliskError {
    if (code === 'internal')
      this.#options.logger.error('a vault operation failed', { error: message, stack });
    return new ObeliskError(code, message);
  }

  #ended(failure: unknown): void {
    this.#worker = undefined;
    const reason = this.#closing ? closed() : crashed(failure);
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
    if (this.#closing) return;
    this.#options.logger.error('the vault worker ended', { error: messageOf(failure), starts: this.#starts });
    if (this.#starts < MOST_STARTS) {
      this.#start();
      return;
    }
    this.#lost = reason;
    this.#options.onLost(reason);
  }
}

/** What is told to those who ask when everything was closed. */
export function closed(): ObeliskError {
  return new ObeliskError('internal', 'the vaults were closed; nothing can be asked of them any more');
}

function crashed(failure: unknown): ObeliskError {
  return new ObeliskError(
    'internal',
    `the vault worker ended (${messageOf(failure ?? 'no reason given')}); ask again, and report it if it goes on`,
    { cause: failure },
  );
}
