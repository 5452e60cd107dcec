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
  #comparedMs = performance.now();
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

  /** It may fail between two full comparisons too, and comes back as soon then. */
  #schedule(): void {
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(
      () => {
        void this.#look().then(() => this.#schedule());
      },
      Math.min(RETRY_MS, this.#options.reconcileMs),
    );
  }

  async #look(): Promise<void> {
    const { host, reconcileMs } = this.#options;
    if (!host.failed && performance.now() - this.#comparedMs < reconcileMs) return;
    await host.pass();
    this.#comparedMs = performance.now();
  }
}
