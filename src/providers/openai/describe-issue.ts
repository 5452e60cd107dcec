import type { z } from 'zod';
import { ObeliskError } from '../../shared/errors.ts';

type Issue = z.core.$ZodIssue;

/**
 * Turns a failed check of a request into an error that names the field as a caller would write it
 * (`messages[0].content`).
 */
export function toInvalidRequest(error: z.ZodError): ObeliskError {
  const issue = error.issues[0];
  if (!issue) return new ObeliskError('invalid_request', 'the request body is not valid');
  const deepest = deepestOf(issue, []);
  const param = fieldName(deepest.path);
  const message = sayMissing(deepest.message);
  return new ObeliskError(
    'invalid_request',
    param ? `${param}: ${message}` : message,
    param ? { param } : {},
  );
}

type Located = { readonly path: readonly PropertyKey[]; readonly message: string };

/** A union reports every branch: the one that got furthest is what the caller meant. */
function deepestOf(issue: Issue, above: readonly PropertyKey[]): Located {
  const path = [...above, ...issue.path];
  if (issue.code !== 'invalid_union') return { path, message: plain(issue.message) };
  const branches = issue.errors.flatMap((branch) =>
    branch.slice(0, 1).map((inner) => deepestOf(inner, path)),
  );
  const deepest = branches.reduce<Located | undefined>(
    (best, branch) => (best === undefined || branch.path.length > best.path.length ? branch : best),
    undefined,
  );
  if (deepest === undefined) return { path, message: plain(issue.message) };
  if (deepest.path.length > path.length) return deepest;
  return { path, message: [...new Set(branches.map((branch) => branch.message))].join(' or ') };
}

function plain(message: string): string {
  return message.replace(/^Invalid (?:input|option): /, '');
}

const MISSING = ', received undefined';

/** Nobody sends `undefined`. */
function sayMissing(message: string): string {
  return message.includes(MISSING) ? `${message.replaceAll(MISSING, '')}, but it is missing` : message;
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, key) =>
      typeof key === 'number' ? `${name}[${key}]` : name === '' ? String(key) : `${name}.${String(key)}`,
    '',
  );
}
