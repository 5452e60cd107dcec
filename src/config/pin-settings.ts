import { requireDataOutsideVaults } from './outside-vaults.ts';
import { requireSafeBind } from './safe-bind.ts';
import type { LoadedConfig, Settings } from './settings.ts';

/** Settings for a process that runs already. */
export type PinnedSettings = {
  readonly settings: Settings;
  /** Names of settings that were asked to change and cannot before a restart. */
  readonly pinned: readonly string[];
};

const ofServer = ['host', 'port', 'transport', 'timeouts'] as const;

/**
 * Makes a new configuration one that a running process can take: the address it listens on, how it
 * listens and where its data lies stay as they are.
 * @throws ObeliskError where the new settings would not be safe with those that stay: `unsafe_bind`
 *   when the master key goes while others can reach the server, `config_invalid` for a vault around
 *   the data directory.
 */
export function pinSettings({ settings: wanted, origins }: LoadedConfig, running: Settings): PinnedSettings {
  const { host, port, transport, timeouts } = running.server;
  const settings: Settings = {
    ...wanted,
    server: { ...wanted.server, host, port, transport, timeouts },
    dataDir: running.dataDir,
    log: { ...wanted.log, format: running.log.format },
  };
  requireSafeBind(settings, origins);
  requireDataOutsideVaults(settings, { origins, platform: process.platform });
  const changed = ofServer.filter((key) => !isSame(wanted.server[key], running.server[key]));
  return {
    settings,
    pinned: [
      ...changed.map((key) => `server.${key}`),
      ...(wanted.dataDir === running.dataDir ? [] : ['data_dir']),
      ...(wanted.log.format === running.log.format ? [] : ['log.format']),
    ],
  };
}

function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
