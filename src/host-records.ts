import type { Settings } from './config/settings.ts';
import { createControlEvents } from './ollama/control-events.ts';
import type { ControlEvents } from './ollama/control-events.ts';
import { HostBooks } from './ollama/queue/host-books.ts';
import { createHostMeters } from './ollama/queue/host-meters.ts';
import type { HostMeters } from './ollama/queue/host-meters.ts';
import type { OllamaSeats } from './ollama/queue/seat.ts';

/** What is known of the hosts of Ollama because we asked them; it outlives every configuration. */
export type HostRecords = {
  readonly books: HostBooks;
  readonly events: ControlEvents;
  readonly meters: HostMeters;
  /** Forgets the hosts that the configuration in force does not name. */
  forgetUnnamed(): void;
};

/** Creates the records of one process. @param settings Those in force. */
export function createHostRecords(settings: () => Settings): HostRecords {
  const events = createControlEvents(Date.now);
  const meters = createHostMeters(() => books.all());
  const hostName = (url: string): string => hostAt(settings(), url)?.name ?? new URL(url).host;
  const books = new HostBooks({
    hostName,
    nowMs: () => performance.now(),
    unixMs: Date.now,
    events,
    meters,
  });
  return {
    books,
    events,
    meters,
    forgetUnnamed: () => books.keepHosts((url) => isNamed(settings(), url)),
  };
}

/**
 * Gives out seats as a configuration has it. What is said of all hosts counts for one
 * that only a deployment names as well.
 */
export function seatsFor(settings: Settings, books: HostBooks): OllamaSeats {
  const { queueLimit, parallel: ofAll } = settings.providers.ollama;
  const unlisted = { parallel: ofAll ?? 1, parallelIsDefault: ofAll === undefined };
  return {
    books,
    limitsOf(url) {
      const { parallel, parallelIsDefault: findsOut = false } = hostAt(settings, url) ?? unlisted;
      return { parallel, queueLimit, findsOut };
    },
  };
}

function isNamed(settings: Settings, url: string): boolean {
  return (
    hostAt(settings, url) !== undefined ||
    settings.modelList.some(({ apiBase }) => apiBase?.replace(/\/v1$/, '') === url)
  );
}

function hostAt(
  { providers }: Settings,
  url: string,
): Settings['providers']['ollama']['hosts'][number] | undefined {
  return providers.ollama.hosts.find((host) => host.url === url);
}
