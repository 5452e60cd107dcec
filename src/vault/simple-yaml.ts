/*
 * Most notes' properties are `key: word` and `- item` lines. Reading those here is about twenty times
 * faster than the YAML library, which would take longer than all the Markdown of a vault. Whatever is
 * not plainly one of the forms below is left to the library; a property test holds the two together.
 */

const KEY = /^([A-Za-z_][A-Za-z0-9_-]*(?: [A-Za-z0-9_-]+){0,4}):(?:[ ]+(.*))?$/;
const ITEM = /^( {0,8})- +(.*)$/;
const PLAIN = /^[\p{L}/(<](?:[^:#[\]{}\t]|:(?=\S)|(?<=\S)#)*$/u;
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?$/;
const WHOLE_NUMBER = /^(?:0|-?[1-9]\d{0,14})$/;
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Marks a scalar that only the library reads right. */
const UNKNOWN = Symbol('unknown');

function scalar(raw: string): unknown {
  const text = raw.trimEnd();
  if (text === '') return null;
  const lower = text.toLowerCase();
  const word = WORDS.get(lower);
  if (word !== undefined) return text === lower ? word : UNKNOWN;
  if (WHOLE_NUMBER.test(text)) return Number(text);
  if (DATE.test(text) || PLAIN.test(text)) return text;
  return quoted(text);
}

function quoted(text: string): unknown {
  const quote = text.charAt(0);
  if (quote !== '"' && quote !== "'") return UNKNOWN;
  const inner = text.slice(1, -1);
  const closed = text.length >= 2 && text.endsWith(quote);
  return closed && !inner.includes(quote) && !inner.includes('\\') ? inner : UNKNOWN;
}

function flowList(text: string): unknown {
  const inner = text.trimEnd().slice(1, -1).trim();
  if (!text.trimEnd().endsWith(']') || /[[\]{}"'#&*!|>%@`:?]/.test(inner)) return UNKNOWN;
  if (inner === '') return [];
  const items = inner.split(',').map((item) => (item.trim() === '' ? UNKNOWN : scalar(item.trim())));
  return items.includes(UNKNOWN) ? UNKNOWN : items;
}

/** Reads properties in their simplest form; `undefined` where it takes a real parser. */
export function simpleYaml(lines: readonly string[]): Record<string, unknown> | undefined {
  const reader = new SimpleYamlReader();
  return lines.every((line) => reader.read(line)) ? Object.fromEntries(reader.entries) : undefined;
}

class SimpleYamlReader {
  readonly entries: Map<string, unknown> = new Map();
  #key = '';
  #list: { indent: number; readonly items: unknown[] } | undefined;

  /** Whether the line was understood. */
  read(line: string): boolean {
    if (line === '') return true;
    const item = ITEM.exec(line);
    return item ? this.#readItem(item[1]?.length ?? 0, item[2] ?? '') : this.#readKey(line);
  }

  #readItem(indent: number, text: string): boolean {
    const value = scalar(text);
    if (this.#list === undefined || value === UNKNOWN || value === null) return false;
    // An item indented otherwise continues the one above, in YAML.
    if (this.#list.items.length > 0 && this.#list.indent !== indent) return false;
    this.#list.indent = indent;
    this.#list.items.push(value);
    this.entries.set(this.#key, this.#list.items);
    return true;
  }

  #readKey(line: string): boolean {
    const match = KEY.exec(line);
    const key = match?.[1] ?? '';
    if (match === null || this.entries.has(key) || WORDS.has(key.toLowerCase())) return false;
    const raw = (match[2] ?? '').trim();
    const value = raw.startsWith('[') ? flowList(raw) : scalar(raw);
    if (value === UNKNOWN) return false;
    this.#key = key;
    this.#list = raw === '' ? { indent: 0, items: [] } : undefined;
    this.entries.set(key, value);
    return true;
  }
}
