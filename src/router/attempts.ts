import type { ObeliskError } from '../shared/errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Clocks } from '../wire/upstream.ts';
import { coolDown, endCooling, markProbe } from './cooling.ts';
import type { Deployment } from './deployment.ts';
import { mayBeAsked } from './deployment-group.ts';
import type { Group, Member } from './deployment-group.ts';
import { judgeFailure } from './failure.ts';
import type { Verdict } from './failure.ts';
import { chooseLastResort, nearestRoomMs } from './last-resort.ts';
import type { RetryBudget } from './retry-budget.ts';

/** What attempts ask of their balancer. */
export type AttemptHost = {
  readonly logger: Logger;
  readonly monotonicMs: () => number;
  readonly random: () => number;
  readonly budget: RetryBudget;
  /** The time a request has over all its attempts, in milliseconds. */
  readonly deadlineMs: number;
  /** Bounds of the pause before the same deployment is asked again, in milliseconds. */
  readonly pause: { readonly leastMs: number; readonly mostMs: number };
  readonly settings: { readonly retryAfterMs: number };
  choose(group: Group, nowMs: number, tried?: readonly Member[]): Member | undefined;
};

/**
 * The attempts of one request at the deployments of a name. One attempt is open at a time, and ends
 * by `succeeded`, `failed` or `abandoned`; on the way of a success these are reads and adds.
 */
export class Attempts {
  /** Attempts so far, the open one included. */
  made = 0;
  /** Times that an upstream was asked once more within its attempt. */
  repeats = 0;
  readonly #host: AttemptHost;
  readonly #group: Group;
  readonly #startedMs: number;
  readonly #retries: number;
  #member: Member;
  #open = false;
  #epoch = 0;
  #tried: Member[] | undefined;
  #next: Member | undefined;
  #repeated = false;

  /** @throws ObeliskError `rate_limited` or `upstream_auth` where no deployment may be asked. */
  constructor(host: AttemptHost, group: Group) {
    const nowMs = host.monotonicMs();
    this.#host = host;
    this.#group = group;
    this.#startedMs = nowMs;
    this.#member = host.choose(group, nowMs) ?? chooseLastResort(group, nowMs);
    this.#retries = this.#member.retries;
    this.#begin(this.#member, nowMs);
  }

  /** Whom the open attempt asks. */
  get deployment(): Deployment {
    return this.#member.deployment;
  }

  /** Whether an attempt has begun and not ended. */
  get open(): boolean {
    return this.#open;
  }

  /** Whether another deployment could be asked, should this one fail. */
  get hasOther(): boolean {
    if (this.made > this.#retries) return false;
    return this.#othersMayBeAsked(this.#host.monotonicMs());
  }

  /** Clocks of the open attempt, within what is left of the request's own time. */
  clocks(stream: boolean): Clocks {
    const clocks = stream ? this.#member.clocks.stream : this.#member.clocks.whole;
    if (this.made === 1) return clocks;
    const leftMs = Math.max(1, this.#startedMs + this.#host.deadlineMs - this.#host.monotonicMs());
    return leftMs >= clocks.totalMs ? clocks : { ...clocks, totalMs: leftMs };
  }

  /** Notes that the answer has begun: a deployment that was left alone is well again. */
  answered(): void {
    const { state } = this.#member;
    if (state.cause !== undefined && state.epoch === this.#epoch) endCooling(this.#member, this.#host.logger);
  }

  /** Ends the open attempt well. `tokens` are those of prompt and answer. */
  succeeded(tokens: number): void {
    if (!this.#close()) return;
    this.answered();
    const { state, limits } = this.#member;
    state.note(false);
    if (limits.tpm !== Infinity) state.addTokens(tokens, this.#host.monotonicMs());
  }

  /** Ends the open attempt without a word about its deployment; false where none was open. */
  abandoned(): boolean {
    return this.#close();
  }

  /**
   * Ends the open attempt with its error. Gives the milliseconds after which `again` may be called,
   * 0 for at once; undefined where there is no further attempt and the error stands.
   *
   * @param status The upstream's, where its head had come; else 0.
   */
  failed(error: ObeliskError, status: number = error.upstreamStatus ?? 0): number | undefined {
    if (!this.#close()) return undefined;
    const nowMs = this.#host.monotonicMs();
    const verdict = judgeFailure(error, status);
    if (verdict.broken && this.#mayRepeat(nowMs)) {
      this.#repeated = true;
      this.#next = this.#member;
      return 0;
    }
    this.#note(verdict, { error, status, nowMs });
    return verdict.retry ? this.#plan(verdict, nowMs) : undefined;
  }

  /** Begins the attempt that `failed` has announced; false where it has become hopeless meanwhile. */
  again(): boolean {
    const nowMs = this.#host.monotonicMs();
    const planned = this.#next;
    this.#next = undefined;
    // After a pause everything may look different; the plan itself is no claim.
    const member = planned && this.#host.choose([planned], nowMs) ? planned : this.#chooseAny(nowMs);
    if (member === undefined) return false;
    member.state.retries += 1;
    this.#begin(member, nowMs);
    return true;
  }

  /** The error as the client is told it: a 429 with the time after which some deployment has room. */
  told(error: ObeliskError): ObeliskError {
    if (error.code !== 'rate_limited') return error;
    const roomMs = nearestRoomMs(this.#group, this.#host.monotonicMs());
    if (roomMs === undefined) return error;
    return error.with({ retryAfter: Math.max(1, Math.ceil(roomMs / 1_000)) });
  }

  #begin(member: Member, nowMs: number): void {
    this.#member = member;
    this.#open = true;
    this.#epoch = member.state.epoch;
    this.made += 1;
    if (member.state.cause !== undefined) markProbe(member, nowMs);
    member.state.begin(nowMs);
    member.place?.begin();
  }

  #close(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#member.state.inFlight -= 1;
    this.#member.place?.end();
    return true;
  }

  #note({ health }: Verdict, { error, status, nowMs }: Failed): void {
    const { state, deployment, tolerance } = this.#member;
    const { logger, random } = this.#host;
    const facts = { nowMs, random, logger, fresh: state.epoch === this.#epoch };
    if (health === 'sound') {
      // An answer that blames the request shows that the deployment is well.
      if (status !== 0) {
        this.answered();
        state.note(false);
      }
      return;
    }
    if (health === 'rate_limited') {
      const retryAfterMs = error.retryAfter === undefined ? undefined : error.retryAfter * 1_000;
      coolDown(this.#member, 'rate_limited', { ...facts, retryAfterMs });
      return;
    }
    state.note(true);
    if (health === 'refused_key') this.#disable(deployment, error);
    else if (health !== 'failing' || state.failuresInRow >= tolerance || state.mostlyFails)
      coolDown(this.#member, health, facts);
  }

  /** A key is refused until somebody corrects it; Ollama is sent none, and a sign-in there needs no reload here. */
  #disable({ id, modelName, baseUrl, dialect }: Deployment, { message }: ObeliskError): void {
    const { state } = this.#member;
    if (dialect !== 'openai' || state.disabled) return;
    state.disabled = true;
    this.#host.logger.error(
      'deployment refused its key and is not used until the configuration is reloaded',
      {
        deployment: id,
        model: modelName,
        host: baseUrl,
        reason: message,
      },
    );
  }

  #plan(verdict: Verdict, nowMs: number): number | undefined {
    if (this.made > this.#retries || this.#isLate(nowMs)) return undefined;
    this.#tried ??= [];
    this.#tried.push(this.#member);
    const other = this.#host.choose(this.#group, nowMs, this.#tried);
    if (other !== undefined) {
      this.#next = other;
      return verdict.unsent || this.#host.budget.take(nowMs) ? 0 : undefined;
    }
    // Of a longer wait the client is told, and may ask elsewhere.
    if (!verdict.retrySame || verdict.leastMs > this.#host.pause.mostMs) return undefined;
    const pauseMs = Math.max(this.#pauseMs(nowMs), verdict.leastMs);
    this.#next = this.#host.choose(this.#group, nowMs + pauseMs);
    if (this.#next === undefined || this.#isLate(nowMs + pauseMs)) return undefined;
    return this.#host.budget.take(nowMs) ? pauseMs : undefined;
  }

  /** A server that restarts breaks connections and takes new ones: where nobody else is, it is asked once more. */
  #mayRepeat(nowMs: number): boolean {
    if (this.#repeated || this.made > this.#retries || this.#isLate(nowMs)) return false;
    if (this.#member.state.cooledUntilMs > nowMs) return false;
    return !this.#othersMayBeAsked(nowMs) && this.#host.budget.take(nowMs);
  }

  #othersMayBeAsked(nowMs: number): boolean {
    const tried = [...(this.#tried ?? []), this.#member];
    return this.#group.some((member) => mayBeAsked(member, nowMs, tried));
  }

  #chooseAny(nowMs: number): Member | undefined {
    return this.#host.choose(this.#group, nowMs, this.#tried) ?? this.#host.choose(this.#group, nowMs);
  }

  /** Full jitter up to a bound that doubles, at least until a 429 of this deployment is over. */
  #pauseMs(nowMs: number): number {
    const { pause, random, settings } = this.#host;
    const { state } = this.#member;
    const mostMs = Math.min(pause.mostMs, pause.leastMs * 4 ** this.made);
    const jitterMs = pause.leastMs + random() * (mostMs - pause.leastMs);
    const cooledMs = state.cause === 'rate_limited' ? state.cooledUntilMs - nowMs : 0;
    const leastMs = Math.max(jitterMs, settings.retryAfterMs, cooledMs <= pause.mostMs ? cooledMs : 0);
    // A timer counts whole milliseconds and may be one early; a cool-down is over to the fraction.
    return Math.ceil(leastMs) + 1;
  }

  #isLate(atMs: number): boolean {
    return atMs >= this.#startedMs + this.#host.deadlineMs;
  }
}

type Failed = { readonly error: ObeliskError; readonly status: number; readonly nowMs: number };
