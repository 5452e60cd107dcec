/** Spans of a line of Markdown, as plain data. Patterns never look past the next delimiter: linear time. */

/**
 * @typedef {{type: 'text', text: string} | {type: 'code', text: string} | {type: 'break'}
 *   | {type: 'citation', index: number}
 *   | {type: 'strong' | 'emphasis' | 'deleted', children: Inline[]}
 *   | {type: 'link', url: string, children: Inline[]}} Inline
 */

const MOST_NESTING = 8;

const INLINE = new RegExp(
  [
    String.raw`(?<ticks>\x60+)(?<code>[^\x60]+)\k<ticks>(?!\x60)`,
    String.raw`\\(?<escaped>[!-/:-@[-\x60{-~])`,
    String.raw`\[(?<label>[^[\]\n]+)\]\((?<url>[^\s()<>]+)\)`,
    String.raw`\[(?<cite>\d{1,3}(?:\s*,\s*\d{1,3})*)\]`,
    String.raw`(?<bare>https?:\/\/[^\s<>()[\]]*[^\s<>()[\].,;:!?'"])`,
    String.raw`\*\*(?=\S)(?<strong>(?:(?!\*\*)[\s\S])+?)(?<=\S)\*\*`,
    String.raw`(?<!\w)__(?=\S)(?<strong2>(?:(?!__)[\s\S])+?)(?<=\S)__(?!\w)`,
    String.raw`\*(?=[^\s*])(?<em>[^*]+?)(?<=\S)\*`,
    String.raw`(?<!\w)_(?=[^\s_])(?<em2>[^_]+?)(?<=\S)_(?!\w)`,
    String.raw`~~(?=\S)(?<deleted>[^~]+)~~`,
    String.raw`(?<break>\n)`,
  ].join('|'),
  'gu',
);

/**
 * Reads the spans of a paragraph, heading, item or cell.
 *
 * @param {string} text
 * @param {number} [depth]
 * @returns {Inline[]}
 */
export function parseInline(text, depth = 0) {
  /** @type {Inline[]} */
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) nodes.push({ type: 'text', text: text.slice(at, match.index) });
    nodes.push(...toInline(match.groups ?? {}, match[0], depth + 1));
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push({ type: 'text', text: text.slice(at) });
  return nodes;
}

/**
 * @param {Record<string, string | undefined>} groups
 * @param {string} whole
 * @param {number} depth
 * @returns {Inline[]}
 */
function toInline(groups, whole, depth) {
  if (groups['code'] !== undefined) return [{ type: 'code', text: groups['code'] }];
  if (groups['escaped']) return [{ type: 'text', text: groups['escaped'] }];
  if (groups['break']) return [{ type: 'break' }];
  if (groups['cite'])
    return groups['cite'].split(',').map((index) => ({ type: 'citation', index: Number(index) }));
  if (depth > MOST_NESTING) return [{ type: 'text', text: whole }];
  const { label, url = groups['bare'] } = groups;
  if (url)
    return [
      { type: 'link', url, children: label ? parseInline(label, depth) : [{ type: 'text', text: url }] },
    ];
  return toSpan(groups, depth);
}

/**
 * @param {Record<string, string | undefined>} groups
 * @param {number} depth
 * @returns {Inline[]}
 */
function toSpan(groups, depth) {
  const strong = groups['strong'] ?? groups['strong2'];
  if (strong) return [{ type: 'strong', children: parseInline(strong, depth) }];
  const deleted = groups['deleted'];
  if (deleted) return [{ type: 'deleted', children: parseInline(deleted, depth) }];
  return [{ type: 'emphasis', children: parseInline(groups['em'] ?? groups['em2'] ?? '', depth) }];
}
