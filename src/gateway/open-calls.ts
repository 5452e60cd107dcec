import type { ObeliskError } from '../shared/errors.ts';
import { Roster } from '../shared/roster.ts';

/** A request that is being answered. */
export type OpenCall = {
  listedBefore: OpenCall | undefined;
  listedAfter: OpenCall | undefined;
  /** Ends it with an error, in the shape its client understands. */
  interrupt(error: ObeliskError): void;
};

/** The requests that are being answered now: who replaces or ends what answers them asks here. */
export class OpenCalls {
  readonly #calls = new Roster<OpenCall>();
  #idle: PromiseWithResolvers<void> | undefined;

  /** Calls that have not ended. */
  get size(): number {
    return this.#calls.size;
  }

  add(call: OpenCall): void {
    this.#calls.add(call);
  }

  delete(call: OpenCall): void {
    this.#calls.delete(call);
    if (this.#idle === undefined || this.#calls.size > 0) return;
    this.#idle.resolve();
    this.#idle = undefined;
  }

  /** Resolves once no call is open. */
  async idle(): Promise<void> {
    if (this.#calls.size === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  /** Ends every call with an error: outer ones first, because the inner ones they made came later. */
  endAll(error: ObeliskError): void {
    this.#calls.forEach((call) => call.interrupt(error));
  }
}
