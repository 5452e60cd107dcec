import { ObeliskError } from '../shared/errors.ts';

/** Why a process takes no new work, for readiness. */
export type Trouble = {
  readonly status: 'overloaded' | 'stopping';
  /** One sentence. */
  readonly reason: string;
};

/** Seconds after which whoever was refused may ask again: a replacement has started, or the load is gone. */
const RETRY_AFTER_SECONDS = 2;

/**
 * Whether the process takes new work: open, closed for as long as it is overloaded, or closed for
 * good because it ends. Requests read one field of it.
 */
export class Door {
  /** What new work is answered with; absent while it is taken. */
  refusal: ObeliskError | undefined;
  #stopping: Trouble | undefined;
  #overload: Trouble | undefined;

  /** Why no new work is taken; absent while it is. */
  get trouble(): Trouble | undefined {
    return this.#stopping ?? this.#overload;
  }

  /** Takes no new work any more. */
  stop(): void {
    this.#stopping = { status: 'stopping', reason: 'the server is stopping' };
    this.#update();
  }

  /** Takes no new work until it is told that the load is gone. */
  setOverload(reason: string | undefined): void {
    this.#overload = reason === undefined ? undefined : { status: 'overloaded', reason };
    this.#update();
  }

  #update(): void {
    const { trouble } = this;
    this.refusal =
      trouble &&
      new ObeliskError('overloaded', `${trouble.reason}; ask again in a moment`, {
        retryAfter: RETRY_AFTER_SECONDS,
        ownWords: true,
      });
  }
}
