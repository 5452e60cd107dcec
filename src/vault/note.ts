/**
 * The document model of one note: what the index, the links and the site read. Lines count from 1
 * and refer to the file as it lies on disk, front matter included; ranges include both ends.
 */

/** A note of a vault, parsed. */
export type Note = {
  /** Path in the vault: `/` between folders, NFC, with its extension. */
  readonly path: string;
  /** Obsidian's name of the note: the file name without `.md`. */
  readonly name: string;
  /** `title` property where it is a string, else the name. */
  readonly title: string;
  /** Front matter as parsed; empty when there is none or it is invalid (then `warnings` says so). */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly aliases: readonly string[];
  /** Tags of the properties and of the text, without `#`, as written, each once (case-insensitively). */
  readonly tags: readonly string[];
  /** `description` property, or empty. */
  readonly description: string;
  readonly blocks: readonly Block[];
  readonly links: readonly Link[];
  readonly blockIds: readonly BlockId[];
  readonly warnings: readonly NoteWarning[];
};

/** Kinds of block the chunker treats differently. */
export type BlockKind =
  | 'heading'
  | 'paragraph'
  | 'list-item'
  | 'code'
  | 'table'
  | 'callout'
  | 'quote'
  | 'math'
  | 'html';

/** A top-level block in source order (list items one by one, so that long lists can be cut between them). */
export type Block = {
  readonly kind: BlockKind;
  readonly startLine: number;
  readonly endLine: number;
  /**
   * What a reader sees, as plain text with line breaks: links reduced to their display text,
   * emphasis marks, comments and block ids removed. Code is kept to the letter, without its fence.
   */
  readonly text: string;
  /** 1–6 for a heading. */
  readonly level?: number;
  /** Language of a code fence, type of a callout (lower case). */
  readonly info?: string;
};

/** A link, embed or Markdown link to something in the vault. External URLs are not listed. */
export type Link = {
  readonly kind: 'link' | 'embed';
  /** Target as written, percent-decoded for Markdown links, without `#…`. Empty: the same note. */
  readonly target: string;
  /** Heading chain after `#` (`A#B` → `['A', 'B']`). */
  readonly headings: readonly string[];
  /** Block id after `#^`. */
  readonly blockId?: string;
  /** Text after `|`, or the text of a Markdown link. */
  readonly display?: string;
  readonly line: number;
};

/** `^id` at the end of a block, or on its own line after one. */
export type BlockId = { readonly id: string; readonly startLine: number; readonly endLine: number };

/** Something wrong with a note that did not stop it from being read. */
export type NoteWarning = { readonly line: number; readonly message: string };
