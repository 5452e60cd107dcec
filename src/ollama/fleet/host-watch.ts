import type { Logger } from '../../telemetry/log.ts';

import type { ControlEvents } from '../control-events.ts';
import type { HostSide } from './fleet-host.ts';
import { warningsOf } from './fleet-view.ts';
import type { WarnedHost } from './fleet-view.ts';

/** Tells when a host comes, goes, or turns out to be something else, and what its owner should know of it. */
export function watchHost(
  host: WarnedHost & Pick<HostSide, 'discovery'> & { readonly name: string },
  { events, logger }: { readonly events: ControlEvents; readonly logger: Logger },
): void {
  let before = host.discovery.state().kind;
  host.discovery.onChange(() => {
    const state = host.discovery.state();
    if (state.kind === before) return;
    before = state.kind;
    const reason = 'reason' in state ? { reason: state.reason } : {};
    events.publish({ type: 'host', host: host.name, state: state.kind, ...reason });
    if (state.kind !== 'up') return;
    for (const warning of warningsOf(host)) {
      logger.warn('a host of Ollama needs a look', { host: host.name, url: host.url, warning });
    }
  });
}
