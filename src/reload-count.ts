import type { ExtraCounter, ExtraGauge } from './telemetry/metrics.ts';

/** Counts how reloads of the configuration ended, for `/metrics`. */
export class ReloadCount {
  readonly #now: () => number;
  #ok = 0;
  #failed = 0;
  #lastOkSeconds: number;

  /** @param now Milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
    // The configuration that the process started with was read well.
    this.#lastOkSeconds = now() / 1_000;
  }

  note(outcome: 'ok' | 'failed'): void {
    if (outcome === 'failed') {
      this.#failed += 1;
      return;
    }
    this.#ok += 1;
    this.#lastOkSeconds = this.#now() / 1_000;
  }

  gauges(): readonly ExtraGauge[] {
    return [
      {
        name: 'obelisk_config_last_success_timestamp_seconds',
        help: 'When the configuration in force was read, in seconds since the epoch.',
        read: () => this.#lastOkSeconds,
      },
    ];
  }

  counters(): readonly ExtraCounter[] {
    return [
      {
        name: 'obelisk_config_reloads_total',
        help: 'Reloads of the configuration; after a failed one the old configuration stays.',
        read: () => [
          { labels: { outcome: 'ok' }, value: this.#ok },
          { labels: { outcome: 'failed' }, value: this.#failed },
        ],
      },
    ];
  }
}
