import path from 'node:path';
import { ObeliskError } from '../shared/errors.ts';
import type { ConfigFile } from './config-file.ts';
import type { ConfigInputs } from './config-inputs.ts';
import { configError } from './config-problem.ts';
import { pathsOf, resolvePath } from './data-dir.ts';
import { packageRoot } from './package-root.ts';
import type { FileFacts, Picker } from './pick.ts';
import type { VaultEntry } from './settings.ts';
import { vaultNameOf, vaultNameProblem } from './vault-name.ts';

/** Name of the vault that is served without any configuration: Obelisk's own documentation. */
export const DOCS_VAULT = 'obelisk-docs';

/**
 * Chooses the vaults: those of the command line, else those of the file, else, with no file at
 * all, the documentation. Relative paths start where they were written.
 * @throws ObeliskError `config_invalid` for two vaults of one name, or a folder whose name gives none.
 */
export function resolveVaults(
  file: ConfigFile,
  picker: Picker,
  from: { readonly facts: FileFacts; readonly inputs: ConfigInputs },
): readonly VaultEntry[] {
  const { facts, inputs } = from;
  const fromFlags = inputs.flags.vaults?.length ? vaultsOfFlags(inputs) : undefined;
  const fromFile = facts === undefined ? undefined : vaultsOfFile(file, facts, inputs);
  const fallback = facts === undefined ? [{ name: DOCS_VAULT, path: path.join(packageRoot(), 'docs') }] : [];
  return picker.pick(
    'vaults',
    [picker.flag('--vault', fromFlags), picker.file(['vaults'], fromFile)],
    fallback,
  );
}

function vaultsOfFlags(inputs: ConfigInputs): readonly VaultEntry[] {
  const vaults = (inputs.flags.vaults ?? []).map((given) => {
    const written = typeof given === 'string' ? given : given.path;
    const folder = absolute(written, inputs.cwd, inputs);
    const name = typeof given === 'string' ? nameAfter(folder, inputs) : given.name.normalize('NFC');
    if (name === undefined) throw new ObeliskError('config_invalid', `--vault ${written}: ${NAMELESS}`);
    const problem = vaultNameProblem(name);
    if (problem !== undefined) {
      throw new ObeliskError('config_invalid', `--vault ${written}: its name ${problem}`);
    }
    return { name, path: folder };
  });
  const twice = duplicateOf(vaults);
  if (twice === undefined) return vaults;
  const message = `two vaults are named "${twice.name}"; list them under vaults: in obelisk.yaml with a name each`;
  throw new ObeliskError('config_invalid', message);
}

function vaultsOfFile(
  file: ConfigFile,
  facts: NonNullable<FileFacts>,
  inputs: ConfigInputs,
): readonly VaultEntry[] | undefined {
  const baseDir = pathsOf(inputs.platform).dirname(facts.file);
  const vaults = file.vaults?.map((entry, index) => {
    const folder = absolute(entry.path, baseDir, inputs);
    const name = entry.name?.normalize('NFC') ?? nameAfter(folder, inputs);
    if (name !== undefined) return { name, path: folder };
    throw configError(facts.file, [{ ...facts.tree.placeOf(['vaults', index, 'path']), message: NAMELESS }]);
  });
  const twice = vaults === undefined ? undefined : duplicateOf(vaults);
  if (twice === undefined) return vaults;
  const place = facts.tree.placeOf(['vaults', twice.index]);
  throw configError(facts.file, [
    { ...place, message: `two vaults are named "${twice.name}"; give each its own name` },
  ]);
}

const NAMELESS = 'no name can be made of this folder; list it under vaults: in obelisk.yaml with a name';

function absolute(written: string, baseDir: string, inputs: ConfigInputs): string {
  return resolvePath(written, { baseDir, homeDir: inputs.homeDir, platform: inputs.platform });
}

function nameAfter(folder: string, inputs: ConfigInputs): string | undefined {
  return vaultNameOf(pathsOf(inputs.platform).basename(folder));
}

/** Names that differ only in case are one name to the person who types them. */
function duplicateOf(
  vaults: readonly VaultEntry[],
): { readonly name: string; readonly index: number } | undefined {
  const seen = new Set<string>();
  for (const [index, vault] of vaults.entries()) {
    const key = vault.name.toLowerCase();
    if (seen.has(key)) return { name: vault.name, index };
    seen.add(key);
  }
  return undefined;
}
