import { isLoopbackUrl } from '../shared/local-host.ts';

import type { HostView } from './control-plane.ts';
import type { FleetHostSettings } from './fleet-host.ts';

/** Memory of a host for models, and how it is known. */
export type HostMemory = { readonly bytes?: number; readonly source: HostView['memorySource'] };

/**
 * What a host has: as configured, else all of this machine's where it runs here. Ollama itself tells
 * no inventory, so that of another machine nothing is known.
 *
 * @param totalBytes Memory of this machine.
 */
export function memoryOfHost(
  { url, memoryBytes }: Pick<FleetHostSettings, 'url' | 'memoryBytes'>,
  totalBytes: number,
): HostMemory {
  if (memoryBytes !== undefined) return { bytes: memoryBytes, source: 'configured' };
  return isLoopbackUrl(url) ? { bytes: totalBytes, source: 'this machine' } : { source: 'unknown' };
}
