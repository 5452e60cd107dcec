import { parentPort, workerData } from 'node:worker_threads';
import { messageOf, isObeliskError, ObeliskError } from '../../shared/errors.ts';
import type { LogFields } from '../../telemetry/log.ts';
import type { Call, HostStatus, Operations, WireError, WorkerMessage, WorkerSetup } from './protocol.ts';
import { VaultFollower } from './vault-follower.ts';
import { VaultHost } from './vault-host.ts';

/** Milliseconds between two reports of a running pass. */
const REPORT_MS = 100;

/** The worker's side: every vault's host, and the calls that reach them. */
class VaultWorker {
  readonly #post: (message: WorkerMessage) => void;
  readonly #hosts: Map<string, VaultHost>;
  readonly #followers: VaultFollower[] = [];
  #reportTimer: NodeJS.Timeout | undefined;

  constructor(setup: WorkerSetup, post: (message: WorkerMessage) => void) {
    this.#post = post;
    const log = (level: 'info' | 'warn', message: string, fields?: LogFields): void => {
      post({ type: 'log', level, message, ...(fields === undefined ? {} : { fields }) });
    };
    const onChange = (): void => {
      this.#reportSoon();
    };
    const hosts = setup.vaults.map(
      (vault) => new VaultHost({ vault, dataDir: setup.dataDir, onChange, log }),
    );
    this.#hosts = new Map(hosts.map((host) => [host.name, host]));
    for (const [at, host] of hosts.entries()) {
      const root = setup.vaults[at]?.path ?? '';
      if (setup.watch)
        this.#followers.push(new VaultFollower({ host, root, reconcileMs: setup.reconcileMs, log }));
    }
  }

  start(): void {
    this.#report();
    for (const host of this.#hosts.values()) void host.pass();
    for (const follower of this.#followers) follower.start();
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
    if (call.name === 'close') return await this.#close();
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

  #host(name: string): VaultHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new ObeliskError('not_found', `there is no vault ${name}; check its name`);
    return host;
  }

  async #close(): Promise<null> {
    clearTimeout(this.#reportTimer);
    this.#reportTimer = undefined;
    for (const follower of this.#followers) follower.close();
    await Promise.all([...this.#hosts.values()].map((host) => host.close()));
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
    const statuses: HostStatus[] = [...this.#hosts.values()].map((host) => host.status());
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
