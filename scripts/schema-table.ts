import type { SchemaNode } from '../src/config/schema-tree.ts';

/** Writes the keys of a mapping as a table; mappings inside it get tables of their own. */
export function toKeyTable(node: SchemaNode, prefix = ''): string {
  const rows = Object.entries(node.properties ?? {})
    .filter(([, child]) => isDescribed(child))
    .map(([key, child]) => toRow(`${prefix}${key}`, child, node.required?.includes(key) ?? false));
  const header = ['| key | type | default | elsewhere | meaning |', '|---|---|---|---|---|'];
  return [...header, ...rows].join('\n');
}

/** A mapping whose keys are listed in another table needs no row; a key without description has none. */
function isDescribed(node: SchemaNode): boolean {
  return node.description !== undefined;
}

function toRow(key: string, node: SchemaNode, required: boolean): string {
  const elsewhere = [...(node.environment ?? []), ...(node.flag === undefined ? [] : [node.flag])];
  const cells = [
    `\`${key}\``,
    typeOf(node),
    required ? '(must be given)' : defaultOf(node),
    elsewhere.map((name) => `\`${name}\``).join(', '),
    node.description ?? '',
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

function typeOf(node: SchemaNode): string {
  if (node.secret) return node.type === 'array' ? 'list of secret texts' : 'secret text';
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.type === 'integer') return wholeNumber(node);
  if (node.type === 'number') return 'number';
  if (node.type === 'array') return node.items?.properties ? 'list of mappings' : 'list of texts';
  return { string: 'text', boolean: 'true or false', object: 'mapping' }[node.type ?? ''] ?? 'anything';
}

function wholeNumber({ minimum, maximum }: SchemaNode): string {
  const hasMaximum = maximum !== undefined && maximum < 1_000_000;
  return `whole number${minimum === undefined ? '' : `, ${minimum}${hasMaximum ? ` to ${maximum}` : ' or more'}`}`;
}

function defaultOf({ default: value }: SchemaNode): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return 'empty';
  if (typeof value === 'string' && value.includes(' ')) return value;
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
