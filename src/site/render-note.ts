import { MOST_LINES, parseMarkdown } from '../vault/markdown.ts';
import { noteTitle, readNoteText } from '../vault/note-text.ts';
import { MarkdownRenderer } from './render-markdown.ts';
import { escapeHtml } from './safe-link.ts';

/** A note to render, and where its links lead. */
export type RenderRequest = {
  /** The file's content. */
  readonly text: string;
  /** Its path in the vault. */
  readonly path: string;
  /** Vault path by link target as written (`Link.target` of `parseNote`); what is absent is unresolved. */
  readonly resolved: Readonly<Record<string, string>>;
  /** Address of a note's page; `anchor` is the id of a heading or block on it, without `#`. */
  readonly noteUrl: (path: string, anchor?: string) => string;
  /** Address of a file of the vault. */
  readonly assetUrl: (path: string) => string;
};

/** A rendered note. */
export type RenderedNote = {
  readonly title: string;
  /** Safe to put into a page: raw HTML of the note is text in it, and no address runs script or loads from elsewhere. */
  readonly html: string;
};

/** Renders a note. Block elements carry `data-line` and `data-end-line`: the lines on disk, from 1, both included. */
export function renderNote(request: RenderRequest): RenderedNote {
  const { front, lines, firstLine } = readNoteText(request.text);
  const title = noteTitle(request.path, front.properties);
  if (lines.length > MOST_LINES) return { title, html: `<pre>${escapeHtml(lines.join('\n'))}</pre>\n` };
  const pathOf = (target: string): string | undefined => {
    if (target === '') return request.path;
    return Object.hasOwn(request.resolved, target) ? request.resolved[target] : undefined;
  };
  const { noteUrl, assetUrl } = request;
  const renderer = new MarkdownRenderer({ pathOf, noteUrl, assetUrl }, lines, firstLine);
  return { title, html: renderer.render(parseMarkdown(lines.join('\n'))) };
}
