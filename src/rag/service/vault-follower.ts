import { messageOf } from '../../shared/errors.ts';
import type { LogFields } from '../../telemetry/log.ts';
import { watchVault, type VaultChange } from '../../vault/watch.ts';
import type { VaultHost } from './vault-host.ts';

/** What a follower works with. */
export type VaultFollowerOptions = {
  readonly host: VaultHost;
  readonly root: string;
  /** Milliseconds between two full comparisons, for what no watcher reports (network drives, lost events). */
  readonly reconcileMs: number;
  readonly log: (level: 'info' | 'warn', message: string, fields?: LogFields) => void;
};

/** A vault that failed is looked at this often. */
const RETRY_MS = 2000;

/** Follows one vault: passes on what its watcher sees, compares now and then, and comes back after a failure. */
export class VaultFollower {
  readonly #options: VaultFollowerOptions;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: VaultFollowerOptions) {
    this.#options = options;
  }

  start(): void {
    const { root, host, log } = this.#options;
    watchVault(root, {
      signal: this.#closing.signal,
      onChange: (change) => {
        this.#take(change);
      },
      onMode: (mode) => {
        if (mode.kind === 'polling')
          log('info', 'a vault is followed by polling', { vault: host.name, reason: mode.reason });
      },
    }).catch((error: unknown) => {
      log('warn', 'a vault is followed by comparing only', { vault: host.name, error: messageOf(error) });
    });
    this.#schedule();
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  #take({ paths }: VaultChange): void {
    const { host } = this.#options;
    void (paths === 'everything' ? host.pass() : host.noticed(paths));
  }

  #schedule(): void {
    if (this.#closing.signal.aborted) return;
    const { host, reconcileMs } = this.#options;
    const delayMs = host.failed ? Math.min(RETRY_MS, reconcileMs) : reconcileMs;
    this.#timer = setTimeout(() => {
      void host.pass().then(() => {
        this.#schedule();
      });
    }, delayMs);
  }
}
