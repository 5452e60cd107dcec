/** How a model is on a host, as far as a choice between hosts needs it. Times are in milliseconds. */
export type ModelAtHost = {
  /** Whether a request would be answered without a load: loaded, or being loaded, with its options. */
  readonly state: 'warm' | 'loading' | 'cold';
  /** Requests that were sent its way and have not ended. */
  readonly claims: number;
  /** Requests of late, of all hosts together. */
  readonly demand: number;
  /** What an answer takes without a load. */
  readonly workMs: number;
  readonly loadMs: number;
  /** What is left of a load that is under way. */
  readonly loadLeftMs: number;
  /** Bytes that it takes, or would take. */
  readonly sizeBytes: number;
  /** Whether another host has it loaded. */
  readonly warmElsewhere: boolean;
};

/** A host with the model that is asked for, and the others that are loaded there. */
export type HostFacts = {
  readonly wanted: ModelAtHost;
  /** Loaded or loading there, the one that was used last first. */
  readonly others: readonly ModelAtHost[];
  readonly parallel: number;
  readonly weight: number;
  /** Models that fit at once, as far as was seen. */
  readonly modelLimit: number;
  /** Memory for models in bytes, where it is known. */
  readonly memoryBytes: number | undefined;
};

/**
 * A load costs more than the time of whoever waits for it: it holds up the host's other loads, and
 * memory that another model may want. Whoever would wait for a warm host less than twice a load waits.
 */
const LOAD_FACTOR = 2;
/** What running another model at the same time costs, as a part of that model's work. */
const SHARED_PROCESSOR = 0.25;
/**
 * What evicts a model in demand is evicted by it in turn: the load, or the answer where that takes
 * longer, is paid for again and again, however cheap one load is.
 */
const EVICTION_FACTOR = 4;
/** What evicting a model costs that another host has loaded as well. */
const SPARE_COPY = 0.25;
/** Part of the memory that Ollama fills. */
const USABLE_MEMORY = 0.9;

/**
 * Estimates what a request costs on a host, in milliseconds: the wait for its turn, the load, and
 * what the models lose that would have to go for it.
 */
export function placementCost(facts: HostFacts): number {
  const { wanted, others, weight } = facts;
  const speed = weight > 0 ? weight : 1;
  const waiting = (waitMs(wanted, facts.parallel) + sharedMs(others, facts.parallel)) / speed;
  if (wanted.state === 'warm') return waiting;
  if (wanted.state === 'loading') return waiting + wanted.loadLeftMs;
  // Ollama loads one model at a time.
  const ahead = others.reduce((sum, other) => sum + (other.state === 'loading' ? other.loadLeftMs : 0), 0);
  return waiting + ahead + LOAD_FACTOR * wanted.loadMs + evictionMs(facts);
}

/** Milliseconds until a slot of the model is free: the claims ahead leave it `parallel` at a time. */
function waitMs({ claims, workMs }: ModelAtHost, parallel: number): number {
  return claims < parallel ? 0 : Math.ceil((claims - parallel + 1) / parallel) * workMs;
}

function sharedMs(others: readonly ModelAtHost[], parallel: number): number {
  return others.reduce(
    (sum, { claims, workMs }) => sum + Math.min(claims, parallel) * workMs * SHARED_PROCESSOR,
    0,
  );
}

/**
 * What must go for the model, and what that costs: as likely as it is that what goes is asked for before
 * the model itself is again. A model in use is waited for, whoever it is.
 */
function evictionMs(facts: HostFacts): number {
  const { wanted } = facts;
  let cost = 0;
  for (const victim of victimsOf(facts)) {
    const odds = victim.demand / (victim.demand + Math.max(1, wanted.demand));
    const again = EVICTION_FACTOR * Math.max(victim.loadMs, victim.workMs);
    const lost = again * odds * (victim.warmElsewhere ? SPARE_COPY : 1);
    cost += lost + waitMs({ ...victim, claims: victim.claims - 1 }, 1);
  }
  return cost;
}

/** The models that would have to go, those not in use first, of them the one that was used longest ago. */
export function victimsOf(facts: HostFacts): readonly ModelAtHost[] {
  const { wanted, others, modelLimit, memoryBytes } = facts;
  const queue = [...others].reverse().sort((a, b) => Math.sign(a.claims) - Math.sign(b.claims));
  const usable = memoryBytes === undefined ? Infinity : memoryBytes * USABLE_MEMORY;
  let count = others.length + 1;
  let bytes = others.reduce((sum, { sizeBytes }) => sum + sizeBytes, wanted.sizeBytes);
  const victims: ModelAtHost[] = [];
  for (const candidate of queue) {
    if (count <= modelLimit && bytes <= usable) break;
    victims.push(candidate);
    count -= 1;
    bytes -= candidate.sizeBytes;
  }
  return victims;
}
