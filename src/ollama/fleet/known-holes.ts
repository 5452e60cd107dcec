/** A hole of Ollama that a version closed. */
type Hole = { readonly fixedIn: Version; readonly id: string; readonly what: string };

type Version = readonly [number, number, number];

/** Published ones whose fix has a version, the newest first. */
const HOLES: readonly Hole[] = [
  {
    fixedIn: [0, 17, 1],
    id: 'CVE-2026-7482',
    what: 'a crafted GGUF file reads its memory, prompts and keys included',
  },
  {
    fixedIn: [0, 14, 3],
    id: 'CVE-2025-51471',
    what: 'a registry can have its tokens sent elsewhere',
  },
  {
    fixedIn: [0, 1, 34],
    id: 'CVE-2024-37032',
    what: 'a pulled model writes any file',
  },
  {
    fixedIn: [0, 1, 29],
    id: 'CVE-2024-28224',
    what: 'a web page reaches it by DNS rebinding',
  },
];

/**
 * What the owner of a host with that version should know, one sentence; undefined where no hole is
 * known, or where the version says nothing (one built from source calls itself 0.0.0).
 */
export function versionWarning(version: string): string | undefined {
  const parsed = parse(version);
  if (parsed === undefined) return undefined;
  const [open, ...more] = HOLES.filter(({ fixedIn }) => isBefore(parsed, fixedIn));
  if (open === undefined) return undefined;
  const others = more.length === 0 ? '' : ` (and ${more.map(({ id }) => id).join(', ')})`;
  return `Ollama ${version} has a known hole, ${open.id}: ${open.what}${others}; update it to ${open.fixedIn.join('.')} or later`;
}

/** A release candidate counts as its release: what it fixes is in it. */
function parse(version: string): Version | undefined {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?$/.exec(version) ?? [];
  if (major === undefined || version.startsWith('0.0.0')) return undefined;
  return [Number(major), Number(minor), Number(patch)];
}

function isBefore(a: Version, b: Version): boolean {
  const index = a.findIndex((part, place) => part !== b[place]);
  return index >= 0 && (a[index] ?? 0) < (b[index] ?? 0);
}
