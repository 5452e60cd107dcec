/** Profiles of a configuration that says what a test wants, kept nowhere. */
import { createOllamaProfiles } from '../src/ollama/profiles/profiles.ts';
import type {
  OllamaProfiles,
  OllamaProfilesOptions,
  ProfileSettings,
} from '../src/ollama/profiles/profiles.ts';
import type { ProfileStore, StoredProfile } from '../src/ollama/profiles/store.ts';

/** Profiles at 127.0.0.1:11434, or at the hosts that are told, without a machine whose memory counts. */
export function profilesOf(
  settings: Partial<ProfileSettings> = {},
  more: Partial<OllamaProfilesOptions> = {},
): OllamaProfiles {
  return createOllamaProfiles({
    settings: { hosts: [], hardware: {}, modelOverrides: {}, requestOptions: [], ...settings },
    store: memoryStore(),
    installed: () => undefined,
    names: () => [],
    machineBytes: Number.MAX_SAFE_INTEGER,
    ...more,
  });
}

/** A store that forgets. */
export function memoryStore(): ProfileStore {
  const stored = new Map<string, StoredProfile>();
  const keyOf = ({ model, host }: Pick<StoredProfile, 'model' | 'host'>): string => `${model} ${host}`;
  return {
    of: (scope) => stored.get(keyOf(scope))?.values,
    all: () => [...stored.values()],
    change(scope, change) {
      const values = change(stored.get(keyOf(scope))?.values ?? { options: {} });
      stored.set(keyOf(scope), { ...scope, values });
    },
  };
}
