import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../config/package-root.ts';

const manifest = z.object({ version: z.string() });

/** Version of this package. */
export function packageVersion(): string {
  const text = readFileSync(path.join(packageRoot(), 'package.json'), 'utf8');
  return manifest.parse(JSON.parse(text)).version;
}
