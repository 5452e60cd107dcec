import type { Source } from '../types.ts';

/** What of a source its addresses are made from. */
export type SourcePlace = Pick<Source, 'vault' | 'path' | 'startLine' | 'endLine'>;

const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** Address of the page that shows a note with lines marked (`#L12-L30`), relative to the server's root. */
export function sourceUrl({ vault, path, startLine, endLine }: SourcePlace): string {
  const lines = endLine > startLine ? `L${String(startLine)}-L${String(endLine)}` : `L${String(startLine)}`;
  return `/vault/${encodeURIComponent(vault)}/${encodePath(path)}#${lines}`;
}
