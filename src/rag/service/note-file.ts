import { hash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { messageOf, systemCodeOf } from '../../shared/errors.ts';
import type { NoteFile } from '../index/types.ts';

/** A note's file as read. */
export type ReadNote = {
  readonly text: string;
  readonly file: NoteFile;
  /** What was wrong with its bytes. */
  readonly problem?: string;
};

/** The outcome of looking at a file: there, gone, or there but not to be read. */
export type FileLook<Found> =
  | { readonly state: 'found'; readonly found: Found }
  | { readonly state: 'gone' }
  | { readonly state: 'unreadable'; readonly reason: string };

const GONE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

function look<Found>(action: () => Found): FileLook<Found> {
  try {
    return { state: 'found', found: action() };
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== undefined && GONE.has(code)) return { state: 'gone' };
    return { state: 'unreadable', reason: `the file cannot be read (${code ?? messageOf(error)})` };
  }
}

/** Size and time of change of a file. */
export function statNote(fileName: string): FileLook<{ readonly size: number; readonly mtimeMs: number }> {
  return look(() => {
    const { size, mtimeMs } = statSync(fileName);
    return { size, mtimeMs };
  });
}

/**
 * Reads a note with the SHA-256 of its bytes. The state is taken before the bytes: a write in between
 * leaves an older time than the file's, so that the next comparison looks again.
 */
export function readNote(fileName: string): FileLook<ReadNote> {
  return look(() => {
    const { size, mtimeMs } = statSync(fileName);
    const bytes = readFileSync(fileName);
    const file = { hash: hash('sha256', bytes, 'hex'), size, mtimeMs };
    return { ...decode(bytes), file };
  });
}

/** UTF-8, or UTF-16 where a byte order mark says so. */
function decode(bytes: Buffer): { text: string; problem?: string } {
  const mark = bytes.subarray(0, 2).toString('hex');
  if (mark === 'fffe') return { text: new TextDecoder('utf-16le').decode(bytes) };
  if (mark === 'feff') return { text: new TextDecoder('utf-16be').decode(bytes) };
  const text = bytes.toString('utf8');
  if (text.includes('\ufffd') && !bytes.includes('\ufffd')) {
    return { text, problem: 'the file is not UTF-8; some characters are lost' };
  }
  return { text };
}
