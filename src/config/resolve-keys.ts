import { Secret } from '../shared/secret.ts';
import type { ConfigFile } from './config-file.ts';
import { configError } from './config-problem.ts';
import type { FileFacts, Picker } from './pick.ts';
import { masterKeyProblem } from './safe-bind.ts';
import type { Settings } from './settings.ts';

/**
 * Chooses who is let in.
 * @throws ObeliskError `config_invalid` for a master key that no header can carry, and for inference
 *   keys without a master key, or the same as it: they would say that management is closed where it
 *   is not.
 */
export function resolveKeys(
  file: ConfigFile,
  facts: FileFacts,
  picker: Picker,
): Pick<Settings, 'masterKey' | 'inferenceKeys'> {
  const master = resolveMasterKey(file, picker);
  const path = ['general_settings', 'inference_keys'];
  const keys = picker.pick(path.join('.'), [picker.file(path, file.general_settings?.inference_keys)], []);
  const problem = problemOf(keys, master);
  if (problem !== undefined && facts !== undefined) {
    throw configError(facts.file, [{ ...facts.tree.placeOf(path), message: `${path.join('.')} ${problem}` }]);
  }
  return {
    ...(master === undefined ? {} : { masterKey: new Secret(master) }),
    inferenceKeys: keys.map((key) => new Secret(key)),
  };
}

function problemOf(keys: readonly string[], master: string | undefined): string | undefined {
  if (keys.length === 0) return undefined;
  if (master === undefined) {
    return 'need a master_key beside them: without one nothing asks for a key';
  }
  return keys.includes(master) ? 'must differ from the master_key, which opens everything' : undefined;
}

function resolveMasterKey(file: ConfigFile, picker: Picker): string | undefined {
  return picker.pick<string | undefined>(
    'general_settings.master_key',
    [
      picker.file(['general_settings', 'master_key'], file.general_settings?.master_key),
      picker.variable(['OBELISK_MASTER_KEY', 'LITELLM_MASTER_KEY'], (text) => {
        const problem = masterKeyProblem(text);
        return problem === undefined ? { value: text } : { problem };
      }),
    ],
    undefined,
  );
}
