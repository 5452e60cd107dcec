import type { VaultLibrary } from '../rag/library.ts';
import { noteUrl, vaultFileUrl } from './note-url.ts';
import { renderNote } from './render-note.ts';

/** A note as the page shows it. `html` is safe: raw HTML of the note is text in it. */
export type NoteView = {
  readonly vault: string;
  readonly path: string;
  readonly title: string;
  readonly html: string;
  /** Opens the note in Obsidian. */
  readonly obsidianUrl: string;
};

/**
 * Reads a note as it lies on disk and renders it with links to this server's pages and pictures.
 * @throws ObeliskError `not_found`.
 */
export async function viewNote(
  library: Pick<VaultLibrary, 'note'>,
  vault: string,
  path: string,
): Promise<NoteView> {
  const source = await library.note(vault, path);
  const { title, html } = renderNote({
    text: source.text,
    path: source.path,
    resolved: source.resolved,
    noteUrl: (target, anchor) => noteUrl(vault, target, anchor),
    assetUrl: (target) => vaultFileUrl(vault, target),
  });
  return { vault, path: source.path, title, html, obsidianUrl: source.obsidianUrl };
}
