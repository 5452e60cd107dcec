import type { ExtraCounter, ExtraGauge } from '../telemetry/metrics.ts';
import type { GaugeSample } from '../telemetry/metric-registry.ts';
import type { Balancer } from './balancer.ts';
import type { CoolingCause, DeploymentState } from './deployment-state.ts';

/** How the deployments of a balancer are, read when scraped. */
export function routingGauges(balancer: () => Balancer): readonly ExtraGauge[] {
  return [
    {
      name: 'obelisk_deployment_state',
      help: '0 serving, 1 left alone after failures, 2 not used until the configuration is reloaded.',
      read: () => samplesOf(balancer(), (state, nowMs) => stateNumber(state, nowMs)),
    },
    {
      name: 'obelisk_deployment_in_flight',
      help: 'Requests that a deployment is answering.',
      read: () => samplesOf(balancer(), (state) => state.inFlight),
    },
  ];
}

/** What a balancer counted per deployment, read when scraped. */
export function routingCounters(balancer: () => Balancer): readonly ExtraCounter[] {
  return [
    {
      name: 'obelisk_upstream_retries_total',
      help: 'Attempts after the first, by the deployment that was asked.',
      read: () => samplesOf(balancer(), (state) => state.retries),
    },
    {
      name: 'obelisk_deployment_cooldowns_total',
      help: 'Failures for which a deployment was left alone, or for longer, by cause.',
      read: () => [...balancer().states().values()].flatMap(cooldownSamples),
    },
  ];
}

function samplesOf(
  balancer: Balancer,
  value: (state: DeploymentState, nowMs: number) => number,
): readonly GaugeSample[] {
  const nowMs = balancer.monotonicMs();
  return [...balancer.states().values()].map((state) => ({
    labels: { deployment: state.id },
    value: value(state, nowMs),
  }));
}

function stateNumber({ disabled, cooledUntilMs }: DeploymentState, nowMs: number): number {
  if (disabled) return 2;
  return cooledUntilMs > nowMs ? 1 : 0;
}

function cooldownSamples({ id, cooldowns }: DeploymentState): readonly GaugeSample[] {
  const causes: readonly CoolingCause[] = ['unreachable', 'timeout', 'rate_limited', 'failing'];
  return causes.flatMap((cause) =>
    cooldowns[cause] === 0 ? [] : [{ labels: { deployment: id, cause }, value: cooldowns[cause] }],
  );
}
