import type { ControlPlane, FitAsk, FitEstimate } from '../control-plane.ts';
import { estimateFit, parallelOf } from './fit.ts';
import type { FleetHost } from '../fleet/fleet-host.ts';
import { holdersOf } from '../fleet/fleet-models.ts';
import type { OllamaFleet } from '../fleet/fleet.ts';
import { toOllamaModel } from '../fleet/model-facts.ts';
import type { OllamaModel } from '../fleet/model-facts.ts';
import type { OllamaProfiles } from './profiles.ts';

/** Creates the estimates of memory: for the host that is named, else for every host that has the model. */
export function createFleetFit({
  fleet,
  profiles,
}: {
  readonly fleet: OllamaFleet;
  readonly profiles: Pick<OllamaProfiles, 'of' | 'memoryOf'>;
}): ControlPlane['fit'] {
  return async (name, ask = {}) => {
    const holders = await holdersOf(fleet, name);
    const hosts = ask.host === undefined ? holders : [fleet.host(ask.host)];
    return Promise.all(
      hosts.map(async (host) => {
        // A host that has it not yet would get the same model.
        const holder = host.discovery.model(name) === undefined ? holders[0] : host;
        const model = holder.discovery.model(name);
        if (model === undefined) throw new TypeError('a holder has the model');
        return estimate(host, await withShape(model, holder), { ask, profiles });
      }),
    );
  };
}

/** Sizes that differ from block to block are told only by the long answer, which holds a vocabulary too. */
async function withShape(model: OllamaModel, { client }: FleetHost): Promise<OllamaModel> {
  if (model.shape !== undefined || model.remoteHost !== undefined) return model;
  const show = await client.show({ model: model.name, verbose: true });
  return { ...model, shape: toOllamaModel({ name: model.name }, show).shape };
}

function estimate(
  host: FleetHost,
  model: OllamaModel,
  { ask, profiles }: { readonly ask: FitAsk; readonly profiles: Pick<OllamaProfiles, 'of' | 'memoryOf'> },
): FitEstimate {
  const served = profiles.of({ baseUrl: host.url, model: model.name, defaults: {} }, model).runner['num_ctx'];
  const trained = model.contextLength ?? Number.POSITIVE_INFINITY;
  const numCtx = Math.min(ask.numCtx ?? (typeof served === 'number' ? served : trained), trained);
  const parallel = parallelOf(model, ask.parallel ?? host.parallel);
  return estimateFit({
    model,
    host: host.name,
    ...profiles.memoryOf(host),
    ask: { numCtx, parallel, cacheType: host.cacheType },
    tooLong: ask.numCtx !== undefined && ask.numCtx > numCtx ? ask.numCtx : undefined,
  });
}
