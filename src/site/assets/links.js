const MOST_QUERY_CHARACTERS = 64;

/**
 * Asks before following a link out that carries much along: a text in the notes or a model may have
 * written an address that takes the answer with it.
 */
export function guardLinks() {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || !/^https?:$/.test(link.protocol) || link.origin === location.origin) return;
    const carried = link.search.length + link.hash.length;
    if (carried <= MOST_QUERY_CHARACTERS) return;
    const question = `This link takes ${carried} characters of data to ${link.host}. Open it?`;
    if (!confirm(question)) event.preventDefault();
  });
}
