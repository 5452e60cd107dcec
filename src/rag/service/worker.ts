import { parentPort, workerData } from 'node:worker_threads';
import { messageOf, isObeliskError, ObeliskError } from '../../shared/errors.ts';
import type { LogFields } from '../../telemetry/log.ts';
import type {
  Call,
  HostStatus,
  Operations,
  ShelvedVault,
  WireError,
  WorkerMessage,
  WorkerSetup,
} from './protocol.ts';
import { VaultFollower } from './vault-follower.ts';
import { VaultHost } from './vault-host.ts';

/** Milliseconds between two reports of a running pass. */
const REPORT_MS = 100;

/** A call to one open vault. */
type HostCall = Exclude<Call, { name: 'close' | 'open-vault' | 'close-vault' }>;

type Opened = { readonly host: VaultHost; readonly follower: VaultFollower | undefined };

/** The worker's side: every vault's host, and the calls that reach them. */
class VaultWorker {
  readonly #post: (message: WorkerMessage) => void;
  readonly #setup: WorkerSetup;
  /** By key. */
  readonly #opened = new Map<string, Opened>();
  readonly #closing = new Map<string, Promise<void>>();
  #reportTimer: NodeJS.Timeout | undefined;

  constructor(setup: WorkerSetup, post: (message: WorkerMessage) => void) {
    this.#post = post;
    this.#setup = setup;
  }

  start(): void {
    for (const vault of this.#setup.vaults) this.#open(vault);
    this.#report();
  }

  async handle(call: Call): Promise<void> {
    try {
      const value = await this.#answer(call);
      // What the caller sees next must include what the call did.
      if (call.name !== 'search') this.#report();
      this.#post({ type: 'reply', id: call.id, value });
    } catch (error) {
      this.#post({ type: 'failure', id: call.id, error: toWireError(error) });
    }
  }

  async #answer(call: Call): Promise<Operations[Call['name']]['reply']> {
    if (call.name === 'close') return await this.#closeAll();
    if (call.name === 'open-vault') {
      // Two hosts of one index would take each other for another process.
      await this.#closing.get(call.request.vault);
      this.#open(call.request.opened);
      return null;
    }
    if (call.name === 'close-vault') {
      await this.#close(call.request.vault);
      return null;
    }
    return await this.#ask(call);
  }

  async #ask(call: HostCall): Promise<Operations[HostCall['name']]['reply']> {
    const host = this.#host(call.request.vault);
    switch (call.name) {
      case 'search':
        return host.search(call.request.search);
      case 'note':
        return host.note(call.request.path);
      case 'blocks':
        return host.blocks(call.request.paths);
      case 'refresh':
        await (call.request.rebuild ? host.rebuild() : host.pass());
        return null;
      case 'embedding-batch':
        return host.embeddings().take(call.request.digest, call.request.limit);
      case 'pin-model':
        host.embeddings().pin(call.request.model);
        return null;
      default:
        host.embeddings().put(call.request);
        host.warn(call.request.warnings);
        return null;
    }
  }

  #host(key: string): VaultHost {
    const opened = this.#opened.get(key);
    if (opened === undefined) throw new ObeliskError('not_found', `there is no vault ${key}; check its name`);
    return opened.host;
  }

  #open(vault: ShelvedVault): void {
    if (this.#opened.has(vault.key)) return;
    const { dataDir, watch, reconcileMs } = this.#setup;
    const log = (level: 'info' | 'warn', message: string, fields?: LogFields): void => {
      this.#post({ type: 'log', level, message, ...(fields === undefined ? {} : { fields }) });
    };
    const onChange = (): void => {
      this.#reportSoon();
    };
    const host = new VaultHost({ vault, dataDir, onChange, log });
    const follower = watch ? new VaultFollower({ host, root: vault.path, reconcileMs, log }) : undefined;
    this.#opened.set(vault.key, { host, follower });
    void host.pass();
    follower?.start();
  }

  #close(key: string): Promise<void> {
    const opened = this.#opened.get(key);
    if (opened === undefined) return this.#closing.get(key) ?? Promise.resolve();
    this.#opened.delete(key);
    opened.follower?.close();
    const closing = opened.host.close().finally(() => this.#closing.delete(key));
    this.#closing.set(key, closing);
    return closing;
  }

  async #closeAll(): Promise<null> {
    await Promise.all([...this.#opened.keys()].map((key) => this.#close(key)));
    await Promise.all(this.#closing.values());
    clearTimeout(this.#reportTimer);
    this.#reportTimer = undefined;
    return null;
  }

  #reportSoon(): void {
    this.#reportTimer ??= setTimeout(() => {
      this.#report();
    }, REPORT_MS);
  }

  #report(): void {
    clearTimeout(this.#reportTimer);
    this.#reportTimer = undefined;
    const statuses: HostStatus[] = [...this.#opened.values()].map(({ host }) => host.status());
    this.#post({ type: 'status', statuses });
  }
}

function toWireError(error: unknown): WireError {
  const code = isObeliskError(error) ? error.code : 'internal';
  const stack = error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {};
  return { code, message: messageOf(error), ...stack };
}

function main(): void {
  const port = parentPort;
  if (port === null)
    throw new ObeliskError('internal', 'the vault worker was started outside of a worker thread');
  const setup: WorkerSetup = workerData;
  const worker = new VaultWorker(setup, (message) => {
    port.postMessage(message);
  });
  port.on('message', (call: Call) => {
    void worker.handle(call).finally(() => {
      // Nothing is left to do after `close`; the thread ends by itself.
      if (call.name === 'close') port.close();
    });
  });
  worker.start();
}

main();
