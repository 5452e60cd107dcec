/**
 * Reads a stream of server-sent events (WHATWG HTML §9.2.6) from pieces cut anywhere.
 *
 * @param {{onData: (data: string) => void, onComment: (comment: string) => void}} listeners
 * @returns {{push: (text: string) => void}}
 */
export function createSseReader({ onData, onComment }) {
  let rest = '';
  /** @type {string[]} */
  let data = [];

  /** @param {string} line */
  const takeLine = (line) => {
    if (line === '') {
      if (data.length > 0) onData(data.join('\n'));
      data = [];
    } else if (line.startsWith(':')) onComment(line.slice(1).trim());
    else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
  };

  return {
    push(text) {
      const lines = (rest + text).split(/\r\n|\n|\r(?=[^\n])/);
      rest = lines.pop() ?? '';
      for (const line of lines) takeLine(line);
    },
  };
}
