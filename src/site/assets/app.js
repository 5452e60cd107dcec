import { endSession, listVaults, listWriters } from './api.js';
import { createConversation } from './conversation.js';
import { byId, element } from './dom.js';
import { withKey } from './key-form.js';
import { guardLinks } from './links.js';
import { createNotePanel } from './note-panel.js';

/** @typedef {import('./api.js').Vault} Vault */

const POLL_MS = 1_000;

const form = byId('composer', HTMLFormElement);
const question = byId('question', HTMLTextAreaElement);
const submit = byId('submit', HTMLButtonElement);
const stop = byId('stop', HTMLButtonElement);
const vaultSelect = byId('vault', HTMLSelectElement);
const writerSelect = byId('writer', HTMLSelectElement);
const state = byId('vault-state', HTMLElement);
const announcer = byId('announcer', HTMLElement);
const panel = createNotePanel();
/** A question was sent off before the page knew which vaults there are. */
let waitsForVaults = false;

const conversation = createConversation({
  container: byId('conversation', HTMLElement),
  announce: (text) => {
    announcer.textContent = text;
  },
  onBusy: (busy) => {
    submit.hidden = busy;
    stop.hidden = !busy;
    document.body.classList.add('asked');
  },
});

function ask() {
  const text = question.value.trim();
  if (text === '' || conversation.isBusy()) return;
  if (vaultSelect.dataset['known'] === undefined) {
    waitsForVaults = true;
    return;
  }
  if (vaultSelect.value === '') {
    state.textContent = 'There is no vault to ask. Start Obelisk with --vault and the folder of your notes.';
    return;
  }
  question.value = '';
  const writer = writerSelect.value === '' ? '' : `:${writerSelect.value}`;
  void conversation.ask(text, `vault/${vaultSelect.value}${writer}`);
}

/**
 * @param {HTMLSelectElement} select
 * @param {{value: string, label: string}[]} choices
 * @param {string} preferred
 */
function fill(select, choices, preferred) {
  const chosen = select.value || preferred;
  const wanted = choices.map(({ value, label }) =>
    element('option', { value, selected: value === chosen }, label),
  );
  select.replaceChildren(...wanted);
}

/**
 * Says in words how far the index of a vault is.
 *
 * @param {Vault | undefined} vault
 */
function describeVault(vault) {
  if (vault === undefined)
    return 'No vault is served yet. Start Obelisk with --vault and the folder of your notes.';
  const notes = `${vault.notes.toLocaleString()} ${vault.notes === 1 ? 'note' : 'notes'}`;
  if (vault.state === 'failed') return `The index of ${vault.name} failed: ${vault.error ?? 'see the log'}`;
  if (vault.state === 'ready')
    return vault.notes === 0 ? `${vault.name} has no notes yet.` : `${vault.name}, ${notes}`;
  const total = vault.notes + vault.pendingNotes;
  return vault.pendingNotes > 0
    ? `Reading ${vault.name}: ${vault.notes.toLocaleString()} of ${total.toLocaleString()} notes. You can ask already.`
    : `Reading ${vault.name}…`;
}

/** @returns {string} vault that the address names */
function vaultOfAddress() {
  const inPath = /^\/vault\/([^/]+)\/?$/.exec(location.pathname)?.[1];
  return inPath ? decodeURIComponent(inPath) : (new URLSearchParams(location.search).get('vault') ?? '');
}

async function refreshVaults() {
  const vaults = await withKey(listVaults);
  const known = vaults.map(({ name }) => name).join('\n');
  if (vaultSelect.dataset['known'] !== known) {
    fill(
      vaultSelect,
      vaults.map(({ name }) => ({ value: name, label: name })),
      vaultOfAddress(),
    );
    vaultSelect.dataset['known'] = known;
  }
  byId('vault-choice', HTMLElement).hidden = vaults.length < 2;
  const chosen = vaults.find(({ name }) => name === vaultSelect.value);
  state.textContent = describeVault(chosen);
  state.classList.toggle('working', chosen?.state === 'starting' || chosen?.state === 'indexing');
  return vaults.some((vault) => vault.state === 'starting' || vault.state === 'indexing');
}

/** Follows the index while it grows, then rests until the page is looked at again. */
async function follow() {
  try {
    const working = await refreshVaults();
    if (waitsForVaults) ask();
    waitsForVaults = false;
    const writers = await withKey(listWriters);
    fill(
      writerSelect,
      [{ value: '', label: 'Automatic' }, ...writers.map((id) => ({ value: id, label: id }))],
      '',
    );
    byId('writer-choice', HTMLElement).hidden = writers.length === 0;
    if (working) setTimeout(() => void follow(), POLL_MS);
  } catch (error) {
    state.textContent = error instanceof Error ? error.message : String(error);
    setTimeout(() => void follow(), POLL_MS * 5);
  }
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const typing =
    event.target instanceof HTMLElement && event.target.closest('input, textarea, select, dialog');
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    question.focus();
  }
  if (event.key !== 'Escape' || event.isComposing) return;
  if (conversation.isBusy()) conversation.stop();
  else if (panel.isOpen()) panel.close();
}

/**
 * Where in the panel a link leads, if it is one to a note.
 *
 * @param {HTMLAnchorElement} link
 */
function noteAddress(link) {
  if (link.id === 'note-full' || link.origin !== location.origin) return undefined;
  if (/^\/vault\/[^/]+\/[^/]/.test(link.pathname)) return link.pathname + link.hash;
  const inNote = link.closest('#note') && link.getAttribute('href')?.startsWith('#');
  return inNote ? byId('note-full', HTMLAnchorElement).pathname + link.hash : undefined;
}

/** @param {MouseEvent} event */
function onClick(event) {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  const address = link && plain ? noteAddress(link) : undefined;
  if (!link || address === undefined) return;
  event.preventDefault();
  void panel.open(address, link);
}

async function signOut() {
  try {
    await endSession();
    // What was asked and answered leaves the screen with the session.
    location.assign('/');
  } catch (error) {
    state.textContent = error instanceof Error ? error.message : String(error);
  }
}

guardLinks();
form.addEventListener('submit', (event) => {
  event.preventDefault();
  ask();
});
question.addEventListener('keydown', (event) => {
  // While an input method composes, Enter chooses a word.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  ask();
});
question.addEventListener('input', () => {
  // Who goes on typing has not asked yet.
  waitsForVaults = false;
});
byId('sign-out', HTMLButtonElement).addEventListener('click', () => void signOut());
stop.addEventListener('click', () => conversation.stop());
document.addEventListener('keydown', onKey);
document.addEventListener('click', onClick);
vaultSelect.addEventListener('change', () => void follow());
window.addEventListener('focus', () => void follow());
// A question in the address waits for Enter: following a link must not set a model to work.
question.value = new URLSearchParams(location.search).get('q') ?? '';
void follow();
