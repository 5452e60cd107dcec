import { ObeliskError } from '../../shared/errors.ts';
import type { OllamaCreateBody } from '../api/request-types.ts';

import type { ModelfileCommand, ModelfileWord } from './modelfile.ts';
import { parseParameters } from './parameters.ts';

/** What a Modelfile says, its paths as they are written. */
export type Recipe = {
  /** Names of models, files and folders. */
  readonly from: readonly string[];
  readonly adapters: readonly string[];
  readonly drafts: readonly string[];
  /** What needs no file. */
  readonly rest: Omit<OllamaCreateBody, 'model' | 'from' | 'files' | 'adapters' | 'draft_files'>;
  /** What was left out, and why. */
  readonly warnings: readonly string[];
};

/** Go's `semver.IsValid`: minor and patch may be missing. */
const VERSION =
  /^v?(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)(?:-[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?)?)?$/;

/**
 * Reads the commands of a Modelfile as Ollama's own client does: FROM, LICENSE and MESSAGE add up, of
 * the others the last one counts.
 * @throws ObeliskError `invalid_request` with the line.
 */
export function readRecipe(commands: readonly ModelfileCommand[]): Recipe {
  const all = (word: ModelfileWord): readonly string[] =>
    commands.filter(({ command }) => command === word).map(({ value }) => value);
  const { parameters, warnings } = parseParameters(
    commands.flatMap((one) => (one.command === 'parameter' ? [one] : [])),
  );
  const messages = commands.flatMap((one) =>
    one.command === 'message' ? [{ role: one.role, content: one.value }] : [],
  );
  const license = all('license');
  const adapters = all('adapter');
  return {
    from: all('from'),
    adapters: adapters.slice(-1),
    drafts: all('draft'),
    rest: {
      ...lastOf(commands),
      ...(license.length === 0 ? {} : { license }),
      ...(messages.length === 0 ? {} : { messages }),
      ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
    },
    warnings: [
      ...warnings,
      ...(adapters.length > 1 ? ['of several ADAPTER lines only the last one counts'] : []),
      ...(all('draft').length > 0 ? ['Ollama before 0.30 ignores DRAFT'] : []),
    ],
  };
}

type Single = { -readonly [Name in 'template' | 'system' | 'renderer' | 'parser' | 'requires']?: string };

function lastOf(commands: readonly ModelfileCommand[]): Single {
  const last: Single = {};
  for (const one of commands) {
    switch (one.command) {
      case 'template':
      case 'system':
      case 'renderer':
      case 'parser':
        last[one.command] = one.value;
        break;
      case 'requires':
        last.requires = versionOf(one);
        break;
      default:
    }
  }
  return last;
}

function versionOf({ line, value }: ModelfileCommand): string {
  if (VERSION.test(value)) return value.replace(/^v/, '');
  throw new ObeliskError(
    'invalid_request',
    `line ${line} of the Modelfile: REQUIRES takes a version, 0.14.0`,
  );
}
