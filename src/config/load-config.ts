import type { ConfigFile } from './config-file.ts';
import type { ConfigInputs } from './config-inputs.ts';
import { printableKey } from './config-problem.ts';
import { pathsWithoutEffect } from './litellm-keys.ts';
import { noticesOf } from './notices.ts';
import { Picker } from './pick.ts';
import type { FileFacts } from './pick.ts';
import { requireDataOutsideVaults } from './outside-vaults.ts';
import { readConfigFile } from './read-config-file.ts';
import { routingNotices } from './resolve-routing.ts';
import { resolveSettings } from './resolve-settings.ts';
import { requireSafeBind } from './safe-bind.ts';
import type { LoadedConfig } from './settings.ts';
import { substituteTree } from './substitute-tree.ts';
import { validateFile } from './validate-file.ts';
import { parseYamlTree } from './yaml-tree.ts';
import type { YamlTree } from './yaml-tree.ts';

/**
 * Loads the effective configuration: flags over the file over the environment over defaults. Reads
 * the one file and nothing else of the disk but where directories lie.
 * @throws ObeliskError `config_invalid` naming file, line and column of everything that is wrong;
 *   `unsafe_bind` for an address beyond loopback without a master key.
 */
export function loadConfig(inputs: ConfigInputs): LoadedConfig {
  const read = readConfigFile(inputs);
  const tree = read === undefined ? undefined : withRoot(parseYamlTree(read.file, read.text));
  const facts: FileFacts = read === undefined || tree === undefined ? undefined : { file: read.file, tree };
  const file = facts === undefined ? {} : readValues(facts, inputs);
  const picker = new Picker(facts, inputs.environment);
  const settings = resolveSettings({ file, facts, inputs }, picker);
  requireSafeBind(settings, picker.origins);
  requireDataOutsideVaults(settings, { origins: picker.origins, platform: inputs.platform });
  return {
    settings,
    origins: picker.origins,
    noEffect: facts === undefined ? [] : noEffectOf(facts),
    notices: [...noticesOf(settings, facts), ...routingNotices(file)],
    ...(facts === undefined ? {} : { file: facts.file }),
  };
}

const SECTIONS: ReadonlySet<string> = new Set([
  'server',
  'timeouts',
  'vaults',
  'model_list',
  'general_settings',
  'router_settings',
  'litellm_settings',
  'upstream',
  'providers',
  'ollama',
  'litellm',
  'hosts',
  'hardware',
  'model_overrides',
  'model_hosts',
  'model_placement',
  'preload',
  'rag',
  'log',
  'environment_variables',
]);

/** An empty file, and a section with nothing below its name, are what they look like: nothing. */
function withRoot(tree: YamlTree): YamlTree {
  return { ...tree, value: withoutEmptySections(tree.value ?? {}, 0) };
}

function withoutEmptySections(value: unknown, depth: number): unknown {
  if (depth > 2 || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, child]) => child !== null || !SECTIONS.has(key))
      .map(([key, child]) => [key, withoutEmptySections(child, depth + 1)]),
  );
}

function readValues({ file, tree }: NonNullable<FileFacts>, inputs: ConfigInputs): ConfigFile {
  return validateFile(file, tree, substituteTree(file, tree, inputs.environment));
}

function noEffectOf({ file, tree }: NonNullable<FileFacts>): LoadedConfig['noEffect'] {
  return pathsWithoutEffect(tree.value).map((path) => ({
    key: path.map((part) => printableKey(String(part))).join('.'),
    file,
    line: tree.placeOf(path).line,
  }));
}
