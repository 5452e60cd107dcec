import { ObeliskError } from '../../shared/errors.ts';
import { notUploaded } from '../api/blobs.ts';
import type { OllamaUpload } from '../api/request-types.ts';
import type { ModelPlace } from '../control-plane.ts';
import type { FleetHost } from './fleet-host.ts';
import type { OllamaFleet } from './fleet.ts';

/** Files of models to be, which are uploaded to the host that will make a model of them. */
export type FleetBlobs = {
  /**
   * The host that is named, or else the one where a new model is made.
   * @throws ObeliskError `not_found`.
   */
  at(place: ModelPlace): HostBlobs;
  /**
   * The name of a host that has them all, preferably the one where the model would be made anyway.
   * @throws ObeliskError `invalid_request` naming one that was not uploaded, `upstream_*`.
   */
  hostWith(digests: readonly string[], model: NewModel, signal: AbortSignal): Promise<string>;
};

/** The files on one host. */
export type HostBlobs = {
  /** @throws ObeliskError `upstream_*`. */
  has(digest: string, signal: AbortSignal): Promise<boolean>;
  /** @throws ObeliskError `invalid_request` for bytes of another digest, `upstream_*`. */
  upload(upload: OllamaUpload, signal: AbortSignal): Promise<void>;
};

/** A model to be made; without a name any. */
export type NewModel = { readonly model?: string | undefined; readonly base?: string | undefined };

/** Creates the files of a fleet. */
export function createFleetBlobs(fleet: OllamaFleet): FleetBlobs {
  return {
    at({ host }) {
      const { client } = host === undefined ? creationHost(fleet, {}) : fleet.host(host);
      return {
        has: (digest, signal) => client.hasBlob(digest, signal),
        upload: (upload, signal) => client.uploadBlob(upload, signal),
      };
    },
    async hostWith(digests, model, signal) {
      const [first, ...others] = creationHosts(fleet, model);
      const missing = await missingAt(first, digests, signal);
      if (missing === undefined) return first.name;
      for (const other of others) {
        const isUp = other.discovery.state().kind === 'up';
        if (isUp && (await missingAt(other, digests, signal)) === undefined) return other.name;
      }
      throw notUploaded(missing, first.name);
    },
  };
}

async function missingAt(
  { client }: FleetHost,
  digests: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const digest of digests) if (!(await client.hasBlob(digest, signal))) return digest;
  return undefined;
}

/** Where a model is made that no host is named for: where it is, or else where it may be served from. */
export function creationHost(fleet: OllamaFleet, model: NewModel): FleetHost {
  return creationHosts(fleet, model)[0];
}

function creationHosts(fleet: OllamaFleet, { model, base }: NewModel): readonly [FleetHost, ...FleetHost[]] {
  const isThere = ({ discovery }: FleetHost, name: string | undefined): boolean =>
    name !== undefined && discovery.model(name) !== undefined;
  const worth = (host: FleetHost): number =>
    (host.discovery.state().kind === 'up' ? 16 : 0) +
    (isThere(host, model) ? 8 : 0) +
    (model !== undefined && fleet.mayServe(host, model) ? 4 : 0) +
    (isThere(host, base) ? 2 : 0) +
    (host.drain.draining ? 0 : 1);
  // Of equals the first stays first: the order is that of the configuration.
  const [best, ...others] = fleet.hosts.toSorted((a, b) => worth(b) - worth(a));
  if (best !== undefined) return [best, ...others];
  throw new ObeliskError('not_found', 'there is no Ollama host; configure providers.ollama');
}
