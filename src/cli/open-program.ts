import type { LoadedConfig } from '../config/settings.ts';
import { ObeliskError } from '../shared/errors.ts';
import type { Program } from './program.ts';

/** Opens the program in this process. */
export function openProgram(config: LoadedConfig): Promise<Program> {
  const where = config.file ?? 'no file';
  return Promise.reject(
    new ObeliskError('internal', `the program cannot be opened in this process (${where})`),
  );
}
