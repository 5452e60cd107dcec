/**
 * `node scripts/vault-report.ts DIR...`: reads each vault as the product does and prints what it found:
 * notes, links by how they resolve, warnings, what was skipped, and how long it took.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { findAnchor } from '../src/vault/anchors.ts';
import { createLinkResolver } from '../src/vault/links.ts';
import type { LinkResolver } from '../src/vault/links.ts';
import type { Link, Note } from '../src/vault/note.ts';
import { parseNote } from '../src/vault/parse-note.ts';
import { walkVault } from '../src/vault/walk.ts';

/** A place in a vault and what is to be said of it. */
export type Remark = { readonly path: string; readonly line: number; readonly message: string };

/** What reading one vault gave. Times are milliseconds. */
export type VaultReport = {
  readonly root: string;
  readonly notes: number;
  readonly files: number;
  readonly megabytes: number;
  readonly blocks: number;
  readonly links: { readonly resolved: number; readonly ambiguous: number; readonly unresolved: number };
  /** Links to notes whose heading or block is not there; they still lead to the note. */
  readonly missingAnchors: number;
  readonly warnings: readonly Remark[];
  readonly unresolved: readonly Remark[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  readonly walkMs: number;
  readonly parseMs: number;
  readonly resolveMs: number;
};

type LinkFindings = Pick<VaultReport, 'links' | 'missingAnchors' | 'unresolved'>;

function resolveAll(notes: ReadonlyMap<string, Note>, resolver: LinkResolver): LinkFindings {
  const links = { resolved: 0, ambiguous: 0, unresolved: 0 };
  const unresolved: Remark[] = [];
  let missingAnchors = 0;
  for (const note of notes.values()) {
    for (const link of note.links) {
      const { state, path } = resolver.resolve(link, note.path);
      links[state] += 1;
      if (state === 'unresolved') unresolved.push({ path: note.path, line: link.line, message: link.target });
      const target = path === undefined ? undefined : notes.get(path);
      if (target && hasAnchor(link) && findAnchor(target, link) === undefined) missingAnchors += 1;
    }
  }
  return { links, missingAnchors, unresolved };
}

function hasAnchor(link: Link): boolean {
  return link.headings.length > 0 || link.blockId !== undefined;
}

/**
 * Reads a vault and says what was found.
 * @throws ObeliskError `vault_unreadable`.
 */
export async function reportVault(root: string): Promise<VaultReport> {
  const started = performance.now();
  const listing = await walkVault(root);
  const texts = await Promise.all(
    listing.notes.map(async ({ path, fileName }) => [path, await readFile(fileName, 'utf8')] as const),
  );
  const walked = performance.now();
  const notes = new Map(texts.map(([path, text]) => [path, parseNote(path, text)]));
  const parsed = performance.now();
  const findings = resolveAll(notes, createLinkResolver([...notes.values(), ...listing.attachments]));
  const resolved = performance.now();
  const bytes = listing.notes.reduce((sum, note) => sum + note.size, 0);
  return {
    root,
    notes: notes.size,
    files: listing.attachments.length,
    megabytes: bytes / 1_000_000,
    blocks: [...notes.values()].reduce((sum, note) => sum + note.blocks.length, 0),
    ...findings,
    warnings: [...notes.values()].flatMap((note) =>
      note.warnings.map((warning) => ({ path: note.path, ...warning })),
    ),
    skipped: listing.skipped,
    walkMs: walked - started,
    parseMs: parsed - walked,
    resolveMs: resolved - parsed,
  };
}

function formatReport(report: VaultReport): string {
  const { links, warnings, skipped, unresolved } = report;
  const rate = Math.round((report.notes / Math.max(report.parseMs, 1)) * 1000);
  const lines = [
    `${basename(report.root)}: ${report.notes} notes (${report.megabytes.toFixed(1)} MB), ${report.files} other files, ${report.blocks} blocks`,
    `  links: ${links.resolved} resolved, ${links.ambiguous} ambiguous, ${links.unresolved} unresolved; ${report.missingAnchors} to a heading or block that is not there`,
    `  ${warnings.length} warnings, ${skipped.length} skipped`,
    `  read in ${report.walkMs.toFixed(0)} ms, parsed in ${report.parseMs.toFixed(0)} ms (${rate} notes/s), resolved in ${report.resolveMs.toFixed(0)} ms`,
    ...warnings.map((warning) => `  warning ${warning.path}:${warning.line} ${warning.message}`),
    ...skipped.map(({ path, reason }) => `  skipped ${path}: ${reason}`),
    ...unresolved.slice(0, 10).map(({ path, line, message }) => `  unresolved ${path}:${line} ${message}`),
  ];
  if (unresolved.length > 10) lines.push(`  and ${unresolved.length - 10} more unresolved`);
  return lines.join('\n');
}

if (import.meta.main) {
  const roots = process.argv.slice(2);
  if (roots.length === 0) {
    process.stderr.write('usage: node scripts/vault-report.ts DIR...\n');
    process.exitCode = 2;
  }
  for (const root of roots) process.stdout.write(`${formatReport(await reportVault(root))}\n`);
}
