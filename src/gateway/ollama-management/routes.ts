import type { ControlPlane } from '../../ollama/control-plane.ts';
import type { Heartbeat } from '../event-stream.ts';
import type { Route } from '../route-table.ts';
import type { Operations } from './operations.ts';
import { MANAGEMENT_ROUTES } from './route-list.ts';

/** What the management routes work with. */
export type ManagementOptions = {
  readonly control: ControlPlane;
  readonly heartbeat?: Heartbeat;
};

/**
 * The routes of the management. What serves them is loaded with the first request for one, because
 * most gateways never get any.
 */
export function managementRoutes(options: ManagementOptions): readonly Route[] {
  let operations: Promise<Operations> | undefined;
  const load = async (): Promise<Operations> => {
    const { createOperations } = await import('./operations.ts');
    return createOperations(options);
  };
  return MANAGEMENT_ROUTES.map(([method, path, access, operation]) => ({
    method,
    path: path.replace(/\{\w+\}$/, '*'),
    access,
    // Whoever manages a server that has too much to do must see it, and be able to end what it does.
    ...(operation === 'startJob' ? {} : { always: true as const }),
    async handle(call) {
      operations ??= load();
      await (await operations)[operation](call);
    },
  }));
}
