import path from 'node:path';
import type { Environment } from './substitute.ts';

/** What decides where a program keeps its data. */
export type PlatformFacts = {
  readonly platform: NodeJS.Platform;
  readonly homeDir: string;
  readonly environment: Environment;
};

/** Path rules of a platform, whichever platform this runs on. */
export function pathsOf(platform: NodeJS.Platform): path.PlatformPath {
  return platform === 'win32' ? path.win32 : path.posix;
}

/**
 * Names the platform's own directory for a program's data: Application Support on macOS, local
 * AppData on Windows (an index is large and must not roam), the XDG base directory elsewhere, where
 * the specification wants relative values ignored.
 */
export function defaultDataDir({ platform, homeDir, environment }: PlatformFacts): string {
  const paths = pathsOf(platform);
  if (platform === 'darwin') return paths.join(homeDir, 'Library', 'Application Support', 'obelisk');
  if (platform === 'win32') {
    const local = environment['LOCALAPPDATA'];
    return paths.join(local || paths.join(homeDir, 'AppData', 'Local'), 'obelisk');
  }
  const xdg = environment['XDG_DATA_HOME'] ?? '';
  return paths.join(paths.isAbsolute(xdg) ? xdg : paths.join(homeDir, '.local', 'share'), 'obelisk');
}

/** Makes a written path absolute: `~` is the home directory, anything relative starts at `baseDir`. */
export function resolvePath(
  written: string,
  from: { readonly baseDir: string; readonly homeDir: string; readonly platform: NodeJS.Platform },
): string {
  const paths = pathsOf(from.platform);
  if (written === '~') return paths.resolve(from.homeDir);
  const homeRelative = written.startsWith('~/') || (from.platform === 'win32' && written.startsWith('~\\'));
  if (homeRelative) return paths.resolve(from.homeDir, written.slice(2));
  return paths.resolve(from.baseDir, written);
}
