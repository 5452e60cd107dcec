import type { ControlPlane, FitAsk, FitEstimate } from './control-plane.ts';
import { estimateFit, parallelOf } from './fit.ts';
import type { FleetHost } from './fleet-host.ts';
import { holdersOf } from './fleet-models.ts';
import type { OllamaFleet } from './fleet.ts';
import type { OllamaModel } from './model-facts.ts';
import type { OllamaProfiles } from './profiles/profiles.ts';

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
    return hosts.map((host) => {
      // A host that has it not yet would get the same model.
      const model = host.discovery.model(name) ?? holders[0].discovery.model(name);
      if (model === undefined) throw new TypeError('a holder has the model');
      return estimate(host, model, { ask, profiles });
    });
  };
}

function estimate(
  host: FleetHost,
  model: OllamaModel,
  { ask, profiles }: { readonly ask: FitAsk; readonly profiles: Pick<OllamaProfiles, 'of' | 'memoryOf'> },
): FitEstimate {
  const served = profiles.of({ baseUrl: host.url, model: model.name, defaults: {} }, model).runner['num_ctx'];
  const trained = model.contextLength ?? Number.POSITIVE_INFINITY;
  const numCtx = Math.min(ask.numCtx ?? (typeof served === 'number' ? served : trained), trained);
  const parallel = ask.parallel ?? parallelOf(model, host.parallel);
  return estimateFit({ model, host: host.name, ...profiles.memoryOf(host), ask: { numCtx, parallel } });
}
