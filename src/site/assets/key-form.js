import { openSession } from './api.js';
import { element } from './dom.js';

/** @type {Promise<void> | undefined} */
let asking;

/**
 * Asks for the master key until the server takes it. Calls that come while the form is open wait for
 * the same answer.
 *
 * @returns {Promise<void>}
 */
export function askForKey() {
  asking ??= showForm().finally(() => {
    asking = undefined;
  });
  return asking;
}

/**
 * Runs `work`, and once more after the key was given when the server wants one.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withKey(work) {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error && 'status' in error && error.status === 401)) throw error;
      await askForKey();
    }
  }
}

/** @returns {Promise<void>} */
function showForm() {
  return new Promise((resolve) => {
    const input = element('input', {
      id: 'key-input',
      type: 'password',
      autocomplete: 'current-password',
      required: true,
      'aria-describedby': 'key-hint key-problem',
    });
    const problem = element('p', { id: 'key-problem', class: 'problem', role: 'alert' });
    const button = element('button', { type: 'submit', class: 'primary' }, 'Unlock');
    const form = element(
      'form',
      { method: 'dialog' },
      element('h2', { id: 'key-title' }, 'This server asks for a key'),
      element(
        'p',
        { id: 'key-hint' },
        'Enter the master key from its configuration. This browser stays signed in for a week.',
      ),
      element('label', { for: 'key-input' }, 'Master key'),
      input,
      problem,
      button,
    );
    const dialog = element('dialog', { 'aria-labelledby': 'key-title', class: 'key' }, form);
    // There is nothing to see behind it: Escape must not leave an empty page.
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      button.disabled = true;
      openSession(input.value)
        .then(() => {
          dialog.close();
          dialog.remove();
          resolve();
        })
        .catch((/** @type {unknown} */ error) => {
          problem.textContent = error instanceof Error ? error.message : String(error);
          input.select();
        })
        .finally(() => {
          button.disabled = false;
        });
    });
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
