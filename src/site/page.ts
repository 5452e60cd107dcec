import { isObeliskError } from '../shared/errors.ts';
import type { VaultLibrary } from '../rag/library.ts';
import type { Handler } from '../wire/http.ts';
import type { Assets } from './assets.ts';
import { sendHtml } from './json-response.ts';
import { parseVaultPath } from './note-url.ts';
import { viewNote } from './note-view.ts';
import { escapeHtml } from './safe-link.ts';
import type { Sessions } from './sessions.ts';

const LOCKED = '<noscript><p>This server asks for a key, which needs JavaScript.</p></noscript>';
const MISSING = '<p>There is no note of this path. It may have been renamed or removed.</p>';

/** What the pages are made from. */
export type PageDependencies = {
  readonly library: Pick<VaultLibrary, 'note'>;
  readonly sessions: Sessions;
  readonly assets: Assets;
};

/** Serves `/`. The page holds nothing of the vaults: it asks for them, with its session where one is needed. */
export function indexHandler({ assets, sessions }: Pick<PageDependencies, 'assets' | 'sessions'>): Handler {
  const index = fillIndex(assets, sessions);
  return (_request, response) => {
    sendHtml(response, 200, index);
  };
}

/**
 * Serves `/vault/<vault>/<path>`: a note, readable without scripts. Without a session it is the
 * empty frame, whose script asks for the key: a strict cookie does not come along when the link was
 * followed from another program, but it does with the script's own requests.
 */
export function notePageHandler({ library, sessions, assets }: PageDependencies): Handler {
  const index = fillIndex(assets, sessions);
  return async (request, response) => {
    const { vault, path } = parseVaultPath(request.path, '/vault/');
    if (path === '') {
      sendHtml(response, 200, index);
      return;
    }
    const known = !sessions.required || sessions.valid(request);
    const frame = { title: path, vault, path };
    if (!known) {
      sendHtml(response, 401, fillNote(assets.note, { ...frame, state: 'locked', html: LOCKED }));
      return;
    }
    const view = await existing(viewNote(library, vault, path));
    if (response.closed) return;
    if (view === undefined)
      sendHtml(response, 404, fillNote(assets.note, { ...frame, state: 'missing', html: MISSING }));
    else sendHtml(response, 200, fillNote(assets.note, { ...view, state: 'shown' }));
  };
}

/** Signing out is offered where there is something to sign out of. */
function fillIndex({ index }: Assets, { required }: Sessions): string {
  return index.replace('{{signOutHidden}}', required ? '' : 'hidden');
}

async function existing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isObeliskError(error) && error.code === 'not_found') return undefined;
    throw error;
  }
}

type NoteFrame = {
  readonly title: string;
  readonly vault: string;
  readonly path: string;
  readonly state: string;
  /** Inserted as it is: the renderer's output. */
  readonly html: string;
  /** Absent where the note is not shown. */
  readonly obsidianUrl?: string;
};

/** Fills the shell in one pass, so that nothing in a note can be taken for a placeholder. */
function fillNote(shell: string, frame: NoteFrame): string {
  const folders = [frame.vault, ...frame.path.split('/').slice(0, -1)];
  const values: Readonly<Record<string, string>> = {
    title: escapeHtml(frame.title),
    vault: escapeHtml(frame.vault),
    vaultUrl: escapeHtml(`/vault/${encodeURIComponent(frame.vault)}/`),
    place: escapeHtml(folders.join(' / ')),
    state: frame.state,
    obsidian: frame.obsidianUrl === undefined ? 'hidden' : `href="${escapeHtml(frame.obsidianUrl)}"`,
    // A note that begins with its own title shows it once.
    titleHidden: firstHeading(frame.html) === escapeHtml(frame.title) ? ' hidden' : '',
    html: frame.html,
  };
  return shell.replaceAll(/\{\{(\w+)\}\}/g, (_all, name: string) => values[name] ?? '');
}

function firstHeading(html: string): string | undefined {
  const [, level, text = ''] = /<h([1-6])[^>]*>(.*?)<\/h\1>/s.exec(html) ?? [];
  return level === '1' ? text.replaceAll(/<[^>]*>/g, '').trim() : undefined;
}
