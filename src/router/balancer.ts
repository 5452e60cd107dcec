import type { RoutingSettings } from '../config/settings.ts';
import type { HostPlacement } from '../ollama/placement/placement.ts';
import type { Logger } from '../telemetry/log.ts';
import { Attempts } from './attempts.ts';
import { deadlineOf } from './clocks.ts';
import type { Deployment } from './deployment.ts';
import { mayBeAsked, toGroup } from './deployment-group.ts';
import type { Group, Member } from './deployment-group.ts';
import { DeploymentState } from './deployment-state.ts';
import { RetryBudget } from './retry-budget.ts';

/** What a balancer works with. */
export type BalancerOptions = {
  readonly settings: RoutingSettings;
  readonly logger: Logger;
  /** Milliseconds that never go back. */
  readonly monotonicMs: () => number;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  /** The balancer of the configuration before, whose knowledge of deployments that stay is kept. */
  readonly previous?: Balancer | undefined;
  /** Chooses among the hosts of a model of the fleet; without it their shares count. */
  readonly placement?: HostPlacement | undefined;
  /** Bounds of the pause before the same deployment is asked again, in milliseconds. */
  readonly pause?: Pause;
};

/** Bounds of a pause, in milliseconds. */
export type Pause = { readonly leastMs: number; readonly mostMs: number };

const PAUSE: Pause = { leastMs: 250, mostMs: 4_000 };
/** States of deployments that are remembered before those that say nothing are dropped. */
const MAX_STATES = 2_048;

/**
 * Spreads requests over the deployments of a name: picks one that may be asked, and tells after a
 * failure whether and where to ask again. One per configuration; all its work is in memory.
 */
export class Balancer {
  readonly settings: RoutingSettings;
  readonly logger: Logger;
  readonly monotonicMs: () => number;
  readonly random: () => number;
  readonly pause: Pause;
  readonly budget: RetryBudget;
  /** The time a request has over all its attempts, in milliseconds. */
  readonly deadlineMs: number;
  readonly #placement: HostPlacement | undefined;
  readonly #states: Map<string, DeploymentState>;
  readonly #groups = new WeakMap<readonly Deployment[], Group>();

  constructor(options: BalancerOptions) {
    const { settings, logger, monotonicMs, random, previous, pause = PAUSE } = options;
    this.#placement = options.placement;
    this.settings = settings;
    this.logger = logger;
    this.monotonicMs = monotonicMs;
    this.random = random;
    this.pause = pause;
    this.deadlineMs = deadlineOf(settings.timeouts);
    this.budget = previous?.budget ?? new RetryBudget(monotonicMs());
    this.#states = new Map(previous?.states());
    // A key that was refused may be right now, or may do now what it was not allowed to.
    for (const state of this.#states.values()) state.disabled = false;
  }

  /**
   * Starts on a request: its first deployment is chosen and counted.
   * @throws ObeliskError `rate_limited` where every deployment is at a limit, `upstream_auth` where
   *   every one refused its key.
   */
  begin(deployments: readonly Deployment[]): Attempts {
    this.budget.deposit();
    return new Attempts(this, this.#groupOf(deployments));
  }

  /** What is known of every deployment that was asked, by a key of its own. */
  states(): ReadonlyMap<string, DeploymentState> {
    return this.#states;
  }

  /**
   * Chooses among the members that may be asked: neither left alone, nor disabled, nor at a limit,
   * nor tried already. Undefined when there is none.
   */
  choose(group: Group, nowMs: number, tried?: readonly Member[]): Member | undefined {
    if (group.length > 1 && group[0]?.place !== undefined) return this.#chooseHost(group, nowMs, tried);
    return this.settings.strategy === 'least-busy'
      ? this.#chooseLeastBusy(group, nowMs, tried)
      : this.#chooseByShare(group, nowMs, tried);
  }

  #chooseByShare(group: Group, nowMs: number, tried: readonly Member[] | undefined): Member | undefined {
    let shares = 0;
    let count = 0;
    let last: Member | undefined;
    for (const member of group) {
      if (!mayBeAsked(member, nowMs, tried)) continue;
      shares += member.share;
      count += 1;
      last = member;
    }
    if (count < 2) return last;
    let rest = this.random() * (shares > 0 ? shares : count);
    for (const member of group) {
      if (!mayBeAsked(member, nowMs, tried)) continue;
      rest -= shares > 0 ? member.share : 1;
      if (rest < 0) return member;
    }
    return last;
  }

  /** Of equal ones each has its turn at random. */
  #chooseLeastBusy(group: Group, nowMs: number, tried: readonly Member[] | undefined): Member | undefined {
    let best: Member | undefined;
    let equals = 0;
    for (const member of group) {
      if (!mayBeAsked(member, nowMs, tried)) continue;
      const { inFlight } = member.state;
      if (best === undefined || inFlight < best.state.inFlight) {
        best = member;
        equals = 1;
      } else if (inFlight === best.state.inFlight) {
        equals += 1;
        if (this.random() * equals < 1) best = member;
      }
    }
    return best;
  }

  /** Hosts without a weight are asked only where no other can be. */
  #chooseHost(group: Group, nowMs: number, tried: readonly Member[] | undefined): Member | undefined {
    const all = group.filter((member) => mayBeAsked(member, nowMs, tried));
    const weighty = all.filter(({ place }) => place !== undefined && place.host.weight > 0);
    const members = weighty.length > 0 ? weighty : all;
    const places = members.map(({ place }) => place).filter((place) => place !== undefined);
    if (places.length < 2 || this.#placement === undefined) return members[0];
    return members[this.#placement.choose(places)];
  }

  #groupOf(deployments: readonly Deployment[]): Group {
    let group = this.#groups.get(deployments);
    if (group === undefined) {
      group = toGroup(deployments, {
        settings: this.settings,
        stateOf: (key, id) => this.#stateOf(key, id),
        placement: this.#placement,
      });
      this.#groups.set(deployments, group);
    }
    return group;
  }

  #stateOf(key: string, id: string): DeploymentState {
    let state = this.#states.get(key);
    if (state === undefined) {
      if (this.#states.size >= MAX_STATES) this.#forgetIdle();
      state = new DeploymentState(id);
      this.#states.set(key, state);
    }
    return state;
  }

  #forgetIdle(): void {
    for (const [key, state] of this.#states) {
      if (state.inFlight === 0 && state.cause === undefined && !state.disabled) this.#states.delete(key);
    }
  }
}
