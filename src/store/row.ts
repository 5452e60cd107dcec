import { ObeliskError } from '../shared/errors.ts';

/** A row as `node:sqlite` gives it. */
export type Row = Readonly<Record<string, unknown>>;

function wrongType(name: string, wanted: string): ObeliskError {
  return new ObeliskError(
    'store_failed',
    `the store has no ${wanted} in column "${name}", so that something else wrote it; move its file out of the data directory`,
  );
}

/**
 * Reads a text column.
 * @throws ObeliskError `store_failed` when the column holds something else.
 */
export function textColumn(row: Row, name: string): string {
  const value = row[name];
  if (typeof value !== 'string') throw wrongType(name, 'text');
  return value;
}

/**
 * Reads a number column.
 * @throws ObeliskError `store_failed` when the column holds something else.
 */
export function numberColumn(row: Row, name: string): number {
  const value = row[name];
  if (typeof value !== 'number') throw wrongType(name, 'number');
  return value;
}

/**
 * Reads a blob column.
 * @throws ObeliskError `store_failed` when the column holds something else.
 */
export function blobColumn(row: Row, name: string): Uint8Array {
  const value = row[name];
  if (!(value instanceof Uint8Array)) throw wrongType(name, 'bytes');
  return value;
}

/**
 * Reads a column that holds a JSON list of texts.
 * @throws ObeliskError `store_failed` when the column holds something else.
 */
export function textListColumn(row: Row, name: string): string[] {
  const list: unknown = JSON.parse(textColumn(row, name));
  if (!Array.isArray(list)) throw wrongType(name, 'list');
  return list.map((item: unknown) => {
    if (typeof item !== 'string') throw wrongType(name, 'list of texts');
    return item;
  });
}
