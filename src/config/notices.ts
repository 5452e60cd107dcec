import { noticeOf } from '../shared/ollama-options.ts';
import type { FileFacts } from './pick.ts';
import type { Settings } from './settings.ts';
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
  const { hardware, modelOverrides } = providers.ollama;
  const at: Path = ['providers', 'ollama'];
  notices.push(...hardwareNotices(hardware, [...at, 'hardware'], facts));
  for (const [model, options] of Object.entries(modelOverrides)) {
    notices.push(...hardwareNotices(options, [...at, 'model_overrides', model], facts));
  }
  return notices;
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
