import type { Member, Scan } from './json-scan.ts';

/** What becomes of top-level members: JSON text sets one, `null` removes it. */
export type MemberChanges = Readonly<Record<string, string | null>>;

/**
 * Changes top-level members of a scanned body. Values that are not named are copied byte for byte; a
 * new member comes first.
 */
export function splice(scan: Scan, changes: MemberChanges): Buffer {
  const names = Object.keys(changes);
  const removes = names.some((name) => changes[name] === null && scan.members.has(name));
  return removes ? rebuild(scan, changes) : overwrite(scan, changes);
}

function addedText(scan: Scan, changes: MemberChanges): string[] {
  return Object.entries(changes)
    .filter(([name, json]) => json !== null && !scan.members.has(name))
    .map(([name, json]) => `${JSON.stringify(name)}:${json}`);
}

/** Replaces values where they stand: everything between them is one copy. */
function overwrite(scan: Scan, changes: MemberChanges): Buffer {
  const { body, members } = scan;
  const parts: Buffer[] = [];
  const added = addedText(scan, changes).join(',');
  let at = 0;
  if (added !== '') {
    at = body.indexOf('{') + 1;
    parts.push(body.subarray(0, at), Buffer.from(members.size === 0 ? added : `${added},`));
  }
  for (const [member, json] of replaced(members, changes)) {
    parts.push(body.subarray(at, member.start), Buffer.from(json));
    at = member.end;
  }
  parts.push(body.subarray(at));
  return Buffer.concat(parts);
}

function replaced(members: Scan['members'], changes: MemberChanges): [Member, string][] {
  const list: [Member, string][] = [];
  for (const name of Object.keys(changes)) {
    const member = members.get(name);
    const json = changes[name];
    if (member !== undefined && typeof json === 'string') list.push([member, json]);
  }
  return list.sort(([a], [b]) => a.start - b.start);
}

/** Writes the object anew, member by member: only a removal needs it, because of its comma. */
function rebuild(scan: Scan, changes: MemberChanges): Buffer {
  const parts: Buffer[] = [];
  for (const text of addedText(scan, changes)) parts.push(Buffer.from(','), Buffer.from(text));
  for (const member of scan.members.values()) {
    const json = Object.hasOwn(changes, member.key) ? changes[member.key] : undefined;
    if (json === null) continue;
    parts.push(Buffer.from(','), scan.body.subarray(member.keyStart, member.start));
    parts.push(json === undefined ? scan.body.subarray(member.start, member.end) : Buffer.from(json));
  }
  return Buffer.concat([Buffer.from('{'), ...parts.slice(1), Buffer.from('}')]);
}
