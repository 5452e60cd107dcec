import type { Block } from '../../vault/note.ts';
import type { NoteBlocks } from '../library.ts';
import type { Hit, Source } from '../types.ts';
import { blocksMarkdown, type Passage } from './passage.ts';
import { estimateTokens } from './prompt.ts';
import { sourceUrl } from './source-urls.ts';

/** What passages are chosen from. */
export type Found = { readonly hits: readonly Hit[]; readonly sources: readonly Source[] };

/** How much is handed to a writer. */
export type ContextLimits = {
  readonly maxPassages: number;
  /** Estimated tokens of all passages together. */
  readonly maxTokens: number;
  /** Whether passages may grow into what stands around them where there is room. */
  readonly expand: boolean;
};

/** A passage with far less of the question than the best one only distracts. */
const KEEP_COVERAGE = 0.4;
/** Passages kept whatever they cover: vectors may have found them. */
const ALWAYS_KEPT = 3;
/** The best passages grow, each by at most so many tokens. */
const GROWING = 3;
const GROWTH_TOKENS = 350;

/** Chooses the passages for a writer, best first, from what a search found. */
export function choosePassages(found: Found, blocks: NoteBlocks, limits: ContextLimits): Passage[] {
  const best = Math.max(0, ...found.hits.map((hit) => hit.coverage));
  const kept = found.sources.filter((_, at) => {
    const hit = found.hits[at];
    return (
      at < ALWAYS_KEPT ||
      (hit !== undefined && hit.coverage >= best * KEEP_COVERAGE) ||
      hit?.cosine !== undefined
    );
  });
  let left = limits.maxTokens;
  const passages: Passage[] = [];
  for (const source of withOpening(kept, blocks)) {
    if (passages.length >= limits.maxPassages) break;
    if (source.text.trim() === '' || passages.some((passage) => holds(passage, source))) continue;
    const whole = toPassage(source, blocks[source.path] ?? []);
    const passage = passages.length === 0 ? shortened(whole, left) : whole;
    const tokens = estimateTokens(passage.source.text);
    if (passages.length > 0 && tokens > left) continue;
    left -= tokens;
    passages.push(passage);
  }
  return limits.expand ? grow(passages, blocks, left) : passages;
}

function holds({ source }: Passage, other: Source): boolean {
  return source.path === other.path && source.startLine <= other.startLine && other.endLine <= source.endLine;
}

/** A chunk is made of whole blocks, or is a part of one that was too long for a chunk. */
function toPassage(source: Source, all: readonly Block[]): Passage {
  const blocks = all.filter(
    ({ startLine, endLine }) => startLine >= source.startLine && endLine <= source.endLine,
  );
  const opening = openingOf(all);
  return {
    source,
    blocks: blocks.length > 0 ? blocks : [asBlock(source)],
    ...(opening !== undefined && blocks.includes(opening) ? { opening } : {}),
    ...(beginsSection(all, blocks[0]) ? { beginsSection: true } : {}),
  };
}

/** The best passage is always there; where there is no room for all of it, as many of its first blocks as fit. */
function shortened(passage: Passage, tokens: number): Passage {
  if (estimateTokens(passage.source.text) <= tokens) return passage;
  let left = tokens;
  const end = passage.blocks.findIndex((block, at) => {
    left -= estimateTokens(block.text);
    return left < 0 && passage.blocks.slice(0, at).some(({ kind }) => kind !== 'heading');
  });
  return end < 0 ? passage : withBlocks(passage, passage.blocks.slice(0, end));
}

function beginsSection(all: readonly Block[], first: Block | undefined): boolean {
  const at = first === undefined ? -1 : all.indexOf(first);
  return at === 0 || all[at - 1]?.kind === 'heading';
}

function openingOf(all: readonly Block[]): Block | undefined {
  return all.find(({ kind }) => kind !== 'heading' && kind !== 'html');
}

/**
 * The best note's first block comes along, after the passages of that note: it says what the note is
 * about, in words that a question for it need not have.
 */
function withOpening(sources: readonly Source[], blocks: NoteBlocks): Source[] {
  const [best] = sources;
  const opening = best === undefined ? undefined : openingOf(blocks[best.path] ?? []);
  if (best === undefined || opening === undefined || opening.kind !== 'paragraph') return [...sources];
  const own = sources.filter(({ path }) => path === best.path);
  if (own.some(({ startLine, endLine }) => startLine <= opening.startLine && opening.endLine <= endLine)) {
    return [...sources];
  }
  const first = withLines({ ...best, headingPath: [] }, [opening], opening.text);
  return [...own, first, ...sources.filter(({ path }) => path !== best.path)];
}

function asBlock({ startLine, endLine, text }: Source): Block {
  return { kind: 'paragraph', startLine, endLine, text };
}

/** Lets the best passages take in the rest of their section, in turn, while there is room. */
function grow(passages: readonly Passage[], blocks: NoteBlocks, tokens: number): Passage[] {
  let left = tokens;
  const grown = passages.map((passage, at) => {
    if (at >= GROWING || left <= 0) return passage;
    const { passage: larger, taken } = growOne(
      passage,
      blocks[passage.source.path] ?? [],
      Math.min(left, GROWTH_TOKENS),
    );
    left -= taken;
    return larger;
  });
  return grown.filter((passage, at) => !grown.slice(0, at).some((earlier) => holds(earlier, passage.source)));
}

function growOne(
  passage: Passage,
  all: readonly Block[],
  tokens: number,
): { readonly passage: Passage; readonly taken: number } {
  let from = all.findIndex((block) => block === passage.blocks[0]);
  if (from < 0) return { passage, taken: 0 };
  let to = from + passage.blocks.length;
  let taken = 0;
  const fits = (block: Block | undefined): boolean => {
    if (block === undefined || block.kind === 'heading') return false;
    const cost = estimateTokens(block.text);
    if (taken + cost > tokens) return false;
    taken += cost;
    return true;
  };
  while (fits(all[to])) to += 1;
  while (fits(all[from - 1])) from -= 1;
  return { passage: taken === 0 ? passage : withBlocks(passage, all.slice(from, to)), taken };
}

function withBlocks({ source }: Passage, blocks: readonly Block[]): Passage {
  return { source: withLines(source, blocks, blocksMarkdown(blocks)), blocks };
}

/** The same source over the lines of these blocks. */
export function withLines(
  source: Source,
  blocks: readonly Pick<Block, 'startLine' | 'endLine'>[],
  text: string,
): Source {
  if (blocks.length === 0) return source;
  const startLine = Math.min(...blocks.map((block) => block.startLine));
  const endLine = Math.max(...blocks.map((block) => block.endLine));
  return { ...source, startLine, endLine, text, url: sourceUrl({ ...source, startLine, endLine }) };
}
