import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The licences of packages whose code is published within our bundles, which they ask to travel along.
 * @throws Error for a package without a licence text.
 */
export function licenceNotes(folders: readonly string[]): string {
  return folders.map(noteOf).join('\n');
}

function noteOf(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new Error(`${folder} has no licence text; publish its code no further`);
  const title = `${textOf(manifest, 'name')} ${textOf(manifest, 'version')}`;
  return `${title}\n${'-'.repeat(title.length)}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}

function textOf(manifest: unknown, key: string): string {
  const value: unknown = Object.entries(Object(manifest)).find(([name]) => name === key)?.[1];
  if (typeof value === 'string') return value;
  throw new Error(`a package has no ${key}`);
}
