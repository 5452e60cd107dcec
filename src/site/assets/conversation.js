import { createAnswerView, placeOf, sourceLink } from './answer.js';
import { ApiError, streamAnswer } from './api.js';
import { element } from './dom.js';
import { withKey } from './key-form.js';

/** @typedef {import('./api.js').Source} Source */
/** @typedef {import('./api.js').Message} Message */
/** @typedef {{question: string, text: string, sources: Source[], supported: boolean}} Turn */

/** Earlier messages that go along with a follow-up. */
const MOST_EARLIER_MESSAGES = 12;
const LOADING = 'The model is loading. Its first answer can take a minute.';
const NEAR_BOTTOM_PX = 96;

/**
 * The questions and answers of this page.
 *
 * @param {{container: HTMLElement, announce: (text: string) => void, onBusy: (busy: boolean) => void}} page
 */
export function createConversation({ container, announce, onBusy }) {
  /** @type {Message[]} */
  const history = [];
  /** @type {AbortController | undefined} */
  let running;

  /**
   * @param {string} question
   * @param {string} model
   */
  const ask = async (question, model) => {
    running?.abort();
    const control = new AbortController();
    running = control;
    // A screen reader waits for the whole answer instead of reading its pieces.
    container.setAttribute('aria-busy', 'true');
    onBusy(true);
    const view = createTurnView(container, question);
    announce('Searching your notes.');
    /** @type {Turn} */
    const turn = { question, text: '', sources: [], supported: true };
    const messages = [
      ...history.slice(-MOST_EARLIER_MESSAGES),
      { role: /** @type {const} */ ('user'), content: question },
    ];
    try {
      await withKey(() =>
        streamAnswer({ model, messages, signal: control.signal }, listen(turn, view, announce)),
      );
      view.finish(turn);
      announce(describe(turn));
    } catch (error) {
      view.finish(turn);
      if (control.signal.aborted) view.stopped();
      else view.fail(problemOf(error), () => void ask(question, model));
    } finally {
      if (turn.text !== '')
        history.push({ role: 'user', content: question }, { role: 'assistant', content: turn.text });
      if (running === control) {
        running = undefined;
        container.removeAttribute('aria-busy');
        onBusy(false);
      }
    }
  };

  return { ask, stop: () => running?.abort(), isBusy: () => running !== undefined };
}

/**
 * @param {Turn} turn
 * @param {ReturnType<typeof createTurnView>} view
 * @param {(text: string) => void} announce
 */
function listen(turn, view, announce) {
  let loading = false;
  return {
    /** @param {string} comment */
    onComment(comment) {
      if (turn.text !== '') return;
      const queued = /queue/i.test(comment);
      view.status(queued ? `Waiting: ${comment}.` : LOADING);
      if (!loading && !queued) announce(LOADING);
      loading = true;
    },
    /** @param {import('./api.js').Delta} delta */
    onDelta(delta) {
      if (delta.reasoning_content && turn.text === '') view.status('Thinking…');
      if (delta.sources) turn.sources = delta.sources;
      if (delta.obelisk?.supported === false) turn.supported = false;
      if (!delta.content) return;
      turn.text += delta.content;
      view.update(turn.text);
    },
  };
}

/** @param {Turn} turn */
function describe(turn) {
  const cited = turn.sources.filter((source) => isCited(source, turn.text)).length;
  if (!turn.supported) return 'Your notes do not answer this. The nearest notes are listed.';
  return `Answer ready, ${cited} ${cited === 1 ? 'source' : 'sources'}.`;
}

/** @param {unknown} error */
function problemOf(error) {
  return error instanceof ApiError ? error.message : `The answer could not be read: ${String(error)}`;
}

/**
 * @param {Source} source
 * @param {string} text
 */
function isCited(source, text) {
  return source.cited ?? text.includes(`[${source.index}]`);
}

/**
 * @param {HTMLElement} container
 * @param {string} question
 */
function createTurnView(container, question) {
  const status = element('p', { class: 'status' }, 'Searching your notes…');
  const answer = element('div', { class: 'prose answer', 'aria-busy': 'true' });
  const heading = element('h2', { class: 'question' }, question);
  const section = element('section', { class: 'turn' }, heading, status, answer);
  container.append(section);
  section.scrollIntoView({ block: 'start' });
  const view = createAnswerView(answer);
  let frame = 0;

  /** @param {() => void} change */
  const keepAtBottom = (change) => {
    const page = document.documentElement;
    const near = page.scrollHeight - page.scrollTop - page.clientHeight < NEAR_BOTTOM_PX;
    change();
    if (near) page.scrollTop = page.scrollHeight;
  };

  return {
    /** @param {string} text */
    status(text) {
      status.textContent = text;
    },
    /**
     * Draws at most once a frame, however fast the words come.
     *
     * @param {string} text
     */
    update(text) {
      status.hidden = true;
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => keepAtBottom(() => view.update(text)));
    },
    /** @param {Turn} turn */
    finish(turn) {
      cancelAnimationFrame(frame);
      status.hidden = true;
      keepAtBottom(() => {
        view.cite(turn.sources, turn.text);
        // An answer that names the nearest notes itself needs no list of them below it.
        const named = !turn.supported && answer.querySelector('[data-note]');
        if (turn.sources.length > 0 && !named) section.append(...drawSources(turn));
      });
      answer.removeAttribute('aria-busy');
    },
    stopped() {
      keepAtBottom(() => section.append(element('p', { class: 'aside' }, 'Stopped.')));
    },
    /**
     * @param {string} message
     * @param {() => void} retry
     */
    fail(message, retry) {
      const button = element('button', { type: 'button', click: retry }, 'Ask again');
      const problem = element('div', { class: 'problem', role: 'alert' }, element('p', {}, message), button);
      keepAtBottom(() => section.append(problem));
    },
  };
}

/**
 * @param {Turn} turn
 * @returns {HTMLElement[]}
 */
function drawSources({ sources, text, supported }) {
  const cited = sources.filter((source) => isCited(source, text));
  if (!supported || cited.length === 0) {
    const byPath = new Map(sources.toReversed().map((source) => [source.path, source]));
    return [drawSourceList('Nearest notes', [...byPath.values()].toReversed(), 'nearest')];
  }
  const others = sources.filter((source) => !cited.includes(source));
  const list = drawSourceList('Sources', cited, 'cited-list');
  if (others.length === 0) return [list];
  const more = element('details', { class: 'more' }, element('summary', {}, `${others.length} more found`));
  more.append(drawSourceList('', others, 'other'));
  return [list, more];
}

/**
 * @param {string} title
 * @param {Source[]} sources
 * @param {string} kind
 */
function drawSourceList(title, sources, kind) {
  const items = sources.map((source) => {
    // A note's first heading is mostly its title, which stands above already.
    const headings = source.headingPath.filter((heading, level) => level > 0 || heading !== source.title);
    const place = [source.path, ...headings].join(' › ');
    const lines = placeOf({ ...source, headingPath: [] });
    const link = sourceLink(
      source,
      { class: 'source' },
      element('span', { class: 'number', 'aria-hidden': 'true' }, String(source.index)),
      element('span', { class: 'name' }, source.title),
      element('span', { class: 'place' }, `${place}, ${lines}`),
    );
    const obsidian = source.obsidianUrl.startsWith('obsidian://')
      ? [
          element(
            'a',
            { class: 'obsidian', href: source.obsidianUrl, 'aria-label': `Open ${source.title} in Obsidian` },
            'Obsidian',
          ),
        ]
      : [];
    return element('li', {}, link, ...obsidian);
  });
  const heading = title === '' ? [] : [element('h3', {}, title)];
  return element('div', { class: `sources ${kind}` }, ...heading, element('ul', {}, ...items));
}
