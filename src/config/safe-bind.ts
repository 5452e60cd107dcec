import { isIPv4, isIPv6 } from 'node:net';
import { ObeliskError } from '../shared/errors.ts';
import type { Settings, ValueOrigin } from './settings.ts';

/** Says why a text cannot be an address to listen on, or undefined when it can. */
export function hostProblem(host: string): string | undefined {
  if (/^[a-z0-9_.-]+$/i.test(host) || isIPv6(host.replace(/^\[(.*)\]$/, '$1'))) return undefined;
  return 'must be a host name or address without scheme, port or path';
}

/** Says why a text cannot be the master key, or undefined when it can: no header could carry it. */
export function masterKeyProblem(key: string): string | undefined {
  if (/^[\u0021-\u007E]+$/.test(key)) return undefined;
  return 'can hold only letters, digits and signs of ASCII, without spaces; make one with: openssl rand -hex 16';
}

/** Whether an address to listen on can be reached from this machine only. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}

/**
 * Refuses to open the server to others without a key.
 * @throws ObeliskError `unsafe_bind`.
 */
export function requireSafeBind(settings: Settings, origins: ReadonlyMap<string, ValueOrigin>): void {
  const { host } = settings.server;
  if (settings.masterKey !== undefined || isLoopbackHost(host)) return;
  const origin = origins.get('server.host');
  const where = origin?.kind === 'file' ? ` (${origin.file}:${origin.line})` : '';
  throw new ObeliskError(
    'unsafe_bind',
    `refusing to listen on ${host}${where} without a master key: anyone who reaches this machine could use its models and read its vaults. Set general_settings.master_key or OBELISK_MASTER_KEY, or listen on 127.0.0.1.`,
  );
}
