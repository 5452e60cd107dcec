import type { Scan } from './json-scan.ts';
import type { Body } from './upstream.ts';

/** What becomes of top-level members: JSON text sets one, `null` removes it. */
export type MemberChanges = Readonly<Record<string, string | null>>;

/** Longest body that is copied, in bytes: of a longer one the pieces are given. */
const MAX_COPIED_BYTES = 8 * 1024;

/**
 * Changes top-level members of a scanned body. Values that are not named stay byte for byte; a new
 * member comes first. The pieces of a long body share its memory.
 */
export function splice(scan: Scan, changes: MemberChanges): Body {
  let added = '';
  const replaced: Replacement[] = [];
  for (const name in changes) {
    const json = changes[name];
    const member = scan.members.get(name);
    if (json === null && member !== undefined) return rebuild(scan, changes);
    if (typeof json !== 'string') continue;
    if (member === undefined) added += `${added === '' ? '' : ','}${JSON.stringify(name)}:${json}`;
    else replaced.push({ start: member.start, end: member.end, json });
  }
  if (added !== '') {
    const start = scan.body.indexOf('{') + 1;
    replaced.push({ start, end: start, json: scan.members.size === 0 ? added : `${added},` });
  }
  if (replaced.length > 1) replaced.sort((a, b) => a.start - b.start);
  return scan.body.length > MAX_COPIED_BYTES ? cut(scan.body, replaced) : overwrite(scan.body, replaced);
}

/** Bytes of a body and the text that takes their place. */
type Replacement = { readonly start: number; readonly end: number; readonly json: string };

function cut(body: Buffer, replacements: readonly Replacement[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end, json } of replacements) {
    pieces.push(body.subarray(at, start), Buffer.from(json));
    at = end;
  }
  pieces.push(body.subarray(at));
  return pieces;
}

/** Replaces values where they stand: everything between them is one copy. */
function overwrite(body: Buffer, replacements: readonly Replacement[]): Buffer {
  let bytes = body.length;
  for (const { start, end, json } of replacements) bytes += start - end + Buffer.byteLength(json);
  const whole = Buffer.allocUnsafe(bytes);
  let read = 0;
  let written = 0;
  for (const { start, end, json } of replacements) {
    written += body.copy(whole, written, read, start);
    written += whole.write(json, written);
    read = end;
  }
  body.copy(whole, written, read);
  return whole;
}

/** Writes the object anew, member by member: only a removal needs it, because of its comma. */
function rebuild(scan: Scan, changes: MemberChanges): Buffer {
  const parts: Buffer[] = [];
  for (const [name, json] of Object.entries(changes)) {
    if (json !== null && !scan.members.has(name))
      parts.push(Buffer.from(','), Buffer.from(`${JSON.stringify(name)}:${json}`));
  }
  for (const member of scan.members.values()) {
    const json = Object.hasOwn(changes, member.key) ? changes[member.key] : undefined;
    if (json === null) continue;
    parts.push(Buffer.from(','), scan.body.subarray(member.keyStart, member.start));
    parts.push(json === undefined ? scan.body.subarray(member.start, member.end) : Buffer.from(json));
  }
  return Buffer.concat([Buffer.from('{'), ...parts.slice(1), Buffer.from('}')]);
}
