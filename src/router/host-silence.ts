import { setTimeout as sleep } from 'node:timers/promises';

import type { FleetHost } from '../ollama/fleet/fleet-host.ts';
import type { OllamaFleet } from '../ollama/fleet/fleet.ts';

import type { Deployment, Resolution } from './deployment.ts';
import { isOllamaPrefixed, withoutOllamaPrefix } from './selector.ts';

/** Shortest pause between two looks that requests cause: an outage must not be looked at by each of them. */
const LOOK_PAUSE_MS = 500;
/** Longest that a request waits for a look. */
const LOOK_WAIT_MS = 1_000;

/** Whether requests can go to a host now: one that was not looked at yet may answer. */
export function mayBeAsked({ discovery, drain }: FleetHost): boolean {
  const { kind } = discovery.state();
  return !drain.draining && (kind === 'up' || kind === 'starting');
}

/** Says why no host of the fleet can be asked for a model, and looks whether one can after all. */
export class HostSilence {
  readonly #fleet: OllamaFleet;
  readonly #monotonicMs: () => number;
  #lookedMs = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(options: { readonly fleet: OllamaFleet; readonly monotonicMs: () => number }) {
    this.#fleet = options.fleet;
    this.#monotonicMs = options.monotonicMs;
  }

  /** For entries of `model_list` of which none can be asked. */
  ofEntries(name: string, entries: readonly Deployment[]): Resolution {
    const [first] = entries;
    const remote = first === undefined ? undefined : this.#fleet.refusedRemote(first.model);
    if (remote !== undefined) return notAllowed(name, remote);
    const hosts = entries.map(({ baseUrl }) => this.#fleet.at(baseUrl)).filter((host) => host !== undefined);
    return this.#away(name, hosts);
  }

  /** For the name of a model that is known, but not to be had now; undefined for any other. */
  ofName(name: string): Resolution | undefined {
    const { hosts } = this.#fleet;
    const bare = withoutOllamaPrefix(name);
    const remote = this.#fleet.refusedRemote(bare);
    if (remote !== undefined) return notAllowed(name, remote);
    const known = this.#fleet.knownAt(bare).filter((host) => host.drain.draining || !isUp(host));
    if (known.length > 0) return this.#away(name, known);
    // Any of them may have it, and none can say so.
    return isOllamaPrefixed(name) && !hosts.some(isUp) ? this.#away(name, hosts) : undefined;
  }

  #away(name: string, hosts: readonly FleetHost[]): Resolution {
    const away = {
      kind: 'away',
      model: name,
      host: `ollama ${hosts.map(({ url }) => url).join(', ')}`,
      ...troubleOf(hosts),
      remedy: remedyFor(hosts),
    } as const;
    const silent = hosts.filter(
      ({ discovery, drain }) => !drain.draining && discovery.state().kind !== 'wrong',
    );
    if (silent.length === 0 || !this.#mayLook()) return away;
    return { ...away, look: () => this.#look(silent) };
  }

  #mayLook(): boolean {
    return this.#looking !== undefined || this.#monotonicMs() - this.#lookedMs >= LOOK_PAUSE_MS;
  }

  /** Between two looks of the discovery's own lie seconds, in which somebody has started Ollama and waits. */
  #look(hosts: readonly FleetHost[]): Promise<void> {
    this.#looking ??= this.#lookOnce(hosts).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(hosts: readonly FleetHost[]): Promise<void> {
    this.#lookedMs = this.#monotonicMs();
    const over = new AbortController();
    // It is refused only where `over` ends it, when nobody waits for it any more.
    const end = sleep(LOOK_WAIT_MS, undefined, { ref: false, signal: over.signal }).catch(() => undefined);
    await Promise.race([Promise.all(hosts.map(({ discovery }) => discovery.refresh())), end]);
    over.abort();
  }
}

function isUp({ discovery }: FleetHost): boolean {
  return discovery.state().kind === 'up';
}

function troubleOf(hosts: readonly FleetHost[]): { readonly trouble?: string } {
  return areDrained(hosts) ? { trouble: 'is being drained' } : {};
}

function areDrained(hosts: readonly FleetHost[]): boolean {
  return hosts.length > 0 && hosts.every(({ drain }) => drain.draining);
}

function remedyFor(hosts: readonly FleetHost[]): string {
  const wrong = hosts.map(({ discovery }) => discovery.state()).find(({ kind }) => kind === 'wrong');
  if (wrong?.kind === 'wrong') return wrong.reason;
  if (areDrained(hosts)) {
    return `it gets no new requests until "obelisk ollama hosts --undrain ${hosts[0]?.name ?? ''}"`;
  }
  return 'start it with "ollama serve", or correct providers.ollama.url (OLLAMA_HOST)';
}

function notAllowed(name: string, remote: string): Resolution {
  return {
    kind: 'unservable',
    model: name,
    place: `forwarded to ${remote}`,
    reason: 'its prompts would leave the machine; allow that with providers.ollama.allow_cloud',
  };
}
