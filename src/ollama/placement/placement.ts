import { ollamaModelKey } from '../../shared/ollama-model-name.ts';
import type { OllamaPlacement } from '../../shared/ollama-hosts.ts';

import type { FleetHost } from '../fleet/fleet-host.ts';
import type { OllamaFleet } from '../fleet/fleet.ts';
import type { Claims } from '../queue/claims.ts';
import type { HostBooks } from '../queue/host-books.ts';
import { hostFacts } from './placement-facts.ts';
import { placementCost } from './placement-cost.ts';
import type { OllamaTarget } from '../fleet/hosts.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';

/** A deployment on a host of the fleet. */
export type HostPlace = {
  readonly host: FleetHost;
  readonly target: OllamaTarget;
  /** Notes that a request was sent its way. */
  begin(): void;
  /** Notes that it has ended, in whatever way. */
  end(): void;
};

/** Chooses among the hosts of one model by what is known of them. */
export type HostPlacement = {
  /** The place of a deployment; undefined where it is none of the fleet. */
  placeOf(deployment: OllamaTarget): HostPlace | undefined;
  /** The index of the best of some places, at least one, for a request that comes now. */
  choose(places: readonly HostPlace[]): number;
};

/** What a placement works with. */
export type HostPlacementOptions = {
  readonly kind: OllamaPlacement;
  /** By model name, where a model has a kind of its own. */
  readonly ofModel?: Readonly<Record<string, OllamaPlacement>>;
  readonly fleet: OllamaFleet;
  readonly books: HostBooks;
  /** The runner options that a request of a deployment carries, unless it has its own. */
  readonly optionsOf: (target: OllamaTarget) => RunnerOptions;
  /** Memory of a host for models, in bytes, where it is known. */
  readonly memoryOf: (host: FleetHost) => number | undefined;
};

/** Costs that differ by less are the same: no estimate is that good. */
const SAME_COST_MS = 5;

const MAX_TURNS = 512;

/** Creates the placement of one configuration; all its work is in memory. */
export function createHostPlacement(options: HostPlacementOptions): HostPlacement {
  return new Placement(options);
}

class Placement implements HostPlacement {
  readonly #options: HostPlacementOptions;
  readonly #kinds: ReadonlyMap<string, OllamaPlacement>;
  /** Whose turn it is, by the key of the model. */
  readonly #turns = new Map<string, Turns>();

  constructor(options: HostPlacementOptions) {
    this.#options = options;
    this.#kinds = new Map(
      Object.entries(options.ofModel ?? {}).map(([name, kind]) => [ollamaModelKey(name), kind]),
    );
  }

  placeOf(deployment: OllamaTarget): HostPlace | undefined {
    const { fleet, books } = this.#options;
    const host = fleet.at(deployment.baseUrl);
    if (host === undefined) return undefined;
    // Which book is the model's changes with what is known of it; a claim ends where it began.
    const open: Claims[] = [];
    return {
      host,
      target: deployment,
      begin: () => {
        const { claims } = books.book(host.url, deployment.model);
        claims.begin(books.nowMs());
        open.push(claims);
        this.#turnsOf(deployment.model).take(host);
      },
      end: () => open.shift()?.end(),
    };
  }

  choose(places: readonly HostPlace[]): number {
    const model = places[0]?.target.model ?? '';
    const kind = this.#kinds.get(ollamaModelKey(model)) ?? this.#options.kind;
    const turns = this.#turnsOf(model);
    // Hosts that rank the same have their turns.
    const ranks = places.map((place) => [...this.#rank(kind, place), turns.of(place.host)]);
    let best = 0;
    for (const [index, rank] of ranks.entries()) {
      if (compare(rank, ranks[best] ?? rank) < 0) best = index;
    }
    return best;
  }

  #rank(kind: OllamaPlacement, place: HostPlace): Rank {
    if (kind === 'round-robin') return [];
    return kind === 'warm-first' ? this.#warmRank(place) : [this.#busyness(place.host)];
  }

  /** The cost, then an idle host before a busy one, and for a load an empty host before a full one. */
  #warmRank(place: HostPlace): Rank {
    const facts = hostFacts(place, this.#options);
    const cost = Math.round(placementCost(facts) / SAME_COST_MS);
    const isWarm = facts.wanted.state === 'warm';
    return [cost, this.#busyness(place.host), isWarm ? 0 : facts.others.length];
  }

  /** Requests under way on a host, for its weight. */
  #busyness({ url, weight }: FleetHost): number {
    const open = this.#options.books.ofHost(url).reduce((sum, { claims }) => sum + claims.open, 0);
    return open / (weight > 0 ? weight : 1);
  }

  #turnsOf(model: string): Turns {
    const key = ollamaModelKey(model);
    let turns = this.#turns.get(key);
    if (turns === undefined) {
      // Names may come from outside; beginning the turns anew costs nobody anything.
      if (this.#turns.size >= MAX_TURNS) this.#turns.clear();
      turns = new Turns();
      this.#turns.set(key, turns);
    }
    return turns;
  }
}

/** Whose turn it is among hosts, each as often as its weight says (start-time fair queueing). */
class Turns {
  readonly #next = new Map<FleetHost, number>();
  #nowAt = 0;

  /** The least is next; a host that was not there for a while has nothing to catch up. */
  of(host: FleetHost): number {
    return Math.max(this.#nowAt, this.#next.get(host) ?? 0);
  }

  take(host: FleetHost): void {
    this.#nowAt = this.of(host);
    this.#next.set(host, this.#nowAt + 1 / (host.weight > 0 ? host.weight : 1));
  }
}

/** What counts first stands first; the smallest wins. */
type Rank = readonly number[];

function compare(a: Rank, b: Rank): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
