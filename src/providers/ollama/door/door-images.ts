import { ObeliskError } from '../../../shared/errors.ts';
import type { ImagePart } from '../../chat.ts';

/** How the base64 of a file's first bytes begins, by its kind. */
const BEGINNINGS: readonly (readonly [string, string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
  ['Qk', 'image/bmp'],
];

const DATA_URI = /^data:[^,]{0,100};base64,/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Reads an image as Ollama takes it: base64 without a word of what it is.
 * @throws ObeliskError `invalid_request` naming `where`.
 */
export function toImage(text: string, where: string): ImagePart {
  const base64 = text.replace(DATA_URI, '');
  if (!BASE64.test(base64)) {
    throw new ObeliskError('invalid_request', `${where}: expected an image as base64`, { param: where });
  }
  const mediaType = BEGINNINGS.find(([beginning]) => base64.startsWith(beginning))?.[1] ?? 'image/png';
  return { mediaType, base64 };
}
