import { noticeOf } from '../shared/ollama-options.ts';
import type { FileFacts } from './pick.ts';
import { reloadNotices } from './reload-notices.ts';
import type { Settings } from './settings.ts';
import type { OllamaHostSettings } from '../shared/ollama-hosts.ts';
import type { Path } from './yaml-tree.ts';

const WEAK_KEY_LENGTH = 8;

/** What a person should know about a valid configuration, one sentence each. */
export function noticesOf(settings: Settings, facts: FileFacts): readonly string[] {
  const notices: string[] = [];
  const { masterKey, providers } = settings;
  if (masterKey !== undefined && masterKey.reveal().length < WEAK_KEY_LENGTH) {
    notices.push(
      `the master key has fewer than ${WEAK_KEY_LENGTH} characters and can be guessed; make one with: openssl rand -hex 16`,
    );
  }
  const { ollama } = providers;
  notices.push(...optionNotices(ollama, ['providers', 'ollama'], facts));
  for (const [index, host] of ollama.hosts.entries()) {
    notices.push(...optionNotices(host, ['providers', 'ollama', 'hosts', index], facts));
  }
  notices.push(...reloadNotices(settings.modelList));
  return notices;
}

type Options = Pick<OllamaHostSettings, 'hardware' | 'modelOverrides'>;

function optionNotices({ hardware, modelOverrides }: Options, at: Path, facts: FileFacts): readonly string[] {
  return [
    ...hardwareNotices(hardware, [...at, 'hardware'], facts),
    ...Object.entries(modelOverrides).flatMap(([model, options]) =>
      hardwareNotices(options, [...at, 'model_overrides', model], facts),
    ),
  ];
}

function hardwareNotices(
  options: Readonly<Record<string, number | boolean>>,
  path: Path,
  facts: FileFacts,
): readonly string[] {
  return Object.entries(options).flatMap(([option, value]) => {
    const notice = noticeOf(option, value);
    if (notice === undefined) return [];
    const line = facts?.tree.placeOf([...path, option]).line;
    return [line === undefined ? notice : `line ${line}: ${notice}`];
  });
}
