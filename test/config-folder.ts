import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import type { ConfigFlags } from '../src/config/config-inputs.ts';
import { loadConfig } from '../src/config/load-config.ts';
import type { LoadedConfig } from '../src/config/settings.ts';
import { isObeliskError } from '../src/shared/errors.ts';

/** What surrounds a configuration file. */
export type Given = {
  readonly environment?: Readonly<Record<string, string>>;
  readonly flags?: ConfigFlags;
};

/** Loads configurations from files of their own. */
export type ConfigFolder = {
  /** Where the files lie. */
  readonly folder: string;
  /** Loads a text, or no file at all. */
  load(text: string | undefined, given?: Given): LoadedConfig;
  /** The message with which a text is refused; the file is called FILE in it. */
  refusal(text: string | undefined, given?: Given): string;
};

/** Makes a folder for configuration files, which is removed after the tests of the file. */
export function createConfigFolder(): ConfigFolder {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-config-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let files = 0;
  const load = (text: string | undefined, given: Given = {}): LoadedConfig => {
    files += 1;
    const file = path.join(folder, `case-${files}.yaml`);
    if (text !== undefined) writeFileSync(file, text);
    return loadConfig({
      ...(text === undefined ? {} : { file }),
      flags: given.flags ?? {},
      environment: given.environment ?? {},
      cwd: folder,
      platform: process.platform,
      homeDir: homedir(),
    });
  };
  return {
    folder,
    load,
    refusal(text, given) {
      try {
        load(text, given);
      } catch (error) {
        assert.ok(isObeliskError(error), String(error));
        return error.message.replaceAll(folder + path.sep, '').replaceAll(/case-\d+\.yaml/g, 'FILE');
      }
      throw new assert.AssertionError({ message: 'the configuration was accepted' });
    },
  };
}
