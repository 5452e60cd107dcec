import { isGram } from '../index/question.ts';
import { STOP_WORDS } from '../text/stop-words.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { Hit, SearchResult } from '../types.ts';
import { askedTerms, hasTerm, type AskedTerm } from './asked-terms.ts';

/** Whether retrieval found something that an answer can rest on. */
export type Support = {
  readonly supported: boolean;
  /** The largest share of the question's idf mass in one passage and its note's name, 0–1. */
  readonly coverage: number;
  /** The share that this question needs in this vault. */
  readonly needed: number;
  /** The largest cosine of a passage with the question, where there are vectors. */
  readonly cosine?: number;
};

/** What decides beside what was found. */
export type SupportOptions = {
  /** Whether the query is several turns of a conversation: no one passage holds them all. */
  readonly followUp?: boolean;
  /** The question, to be read more closely than the index does: other forms of its words count too. */
  readonly reading?: { readonly question: string; readonly tokenizer: Tokenizer };
};

/**
 * What one passage must have of a question: `base`, plus `rare` times the weight of the question's rarest
 * word, less `long` times the logarithm of the number of its words. The rarest word's weight is about the
 * logarithm of the number of passages: among many, some passage has much of any question by chance; among
 * few, hardly one does. And the longer a question, the less of it any passage has, the right one as a
 * wrong one. Measured on 8,800 questions to vaults of five notes to 1,500 passages, their own and others'.
 */
type Line = { readonly base: number; readonly rare: number; readonly long: number };
const WORDS: Line = { base: 0.35, rare: 0.04, long: 0.1 };
/** The same for scripts cut into bigrams, many of which span two words and are nowhere. */
const GRAMS: Line = { base: 0.14, rare: 0.024, long: 0.033 };
const LEAST = 0.12;
const MOST = 0.6;
/** Weight of a rare word in a vault of some 100 passages, where nobody says what words weigh. */
const USUAL_RAREST = 5;
const JOINED_SHARE = 0.7;
/** One bigram in common is chance, where there are this many. */
const MANY_GRAMS = 4;

/** Passages that mean the same in other words: nearly enough words and a good cosine, or a very good cosine. */
const GOOD_COSINE = 0.5;
const NEARLY = 0.6;
const VERY_GOOD_COSINE = 0.65;
/** What a word weighs that fits any question. */
const LIGHT_SHARE = 0.25;
/** Passages read closely, those that cover most. */
const READ_CLOSELY = 8;

function needed(count: number, rarest: number, { base, rare, long }: Line): number {
  return Math.min(MOST, Math.max(LEAST, base + rare * rarest - long * Math.log(Math.max(1, count))));
}

/** Coverage weighs words by how rare they are, so a common word alone is far below any threshold. */
function neededCoverage({ terms, weights = {} }: Pick<SearchResult, 'terms' | 'weights'>): number {
  const entries = Object.entries(weights);
  const rarest = entries.length === 0 ? USUAL_RAREST : Math.max(...entries.map(([, weight]) => weight));
  const mass = sum(entries.map(([, weight]) => weight));
  const grams = entries.filter(([term]) => isGram(term));
  const share = mass === 0 ? 0 : sum(grams.map(([, weight]) => weight)) / mass;
  const ofWords = needed(terms.length, rarest, WORDS);
  if (share === 0) return ofWords;
  const chance = grams.length < MANY_GRAMS ? 0 : rarest / mass;
  const ofGrams = Math.max(chance, needed(grams.length, rarest, GRAMS));
  return (1 - share) * ofWords + share * ofGrams;
}

/**
 * Decides from retrieval alone whether the vault supports an answer. Function words never support one,
 * nor does a common word of a question whose rare words are nowhere. It refuses what the vault knows
 * nothing of; whether a passage that speaks of the same things holds the answer, only its reader can say.
 */
export function decideSupport(
  result: Pick<SearchResult, 'hits' | 'terms' | 'weights'>,
  options: SupportOptions = {},
): Support {
  const found = Math.max(0, ...result.hits.map((hit) => hit.coverage));
  const enough = neededCoverage(result) * (options.followUp === true ? JOINED_SHARE : 1);
  const closer = options.reading !== undefined && found < enough && result.hits.length > 0;
  const coverage = closer ? Math.max(found, closeCoverage(result, options.reading)) : found;
  const cosines = result.hits.flatMap(({ cosine }) => (cosine === undefined ? [] : [cosine]));
  const cosine = cosines.length === 0 ? undefined : Math.max(...cosines);
  const meant = cosine !== undefined && isMeant(cosine, coverage / enough);
  const asksNothing = result.terms.every((word) => STOP_WORDS.has(word.toLowerCase()));
  const supported = !asksNothing && (coverage >= enough || meant);
  return { supported, coverage, needed: enough, ...(cosine === undefined ? {} : { cosine }) };
}

function isMeant(cosine: number, share: number): boolean {
  return cosine >= VERY_GOOD_COSINE || (cosine >= GOOD_COSINE && share >= NEARLY);
}

/** The largest coverage, where `fed` is found in `feed` and `how often` is no word to be found. */
function closeCoverage(
  { hits, weights = {} }: Pick<SearchResult, 'hits' | 'weights'>,
  { question, tokenizer }: { readonly question: string; readonly tokenizer: Tokenizer },
): number {
  const asked = askedTerms(question, tokenizer).filter(({ term }) => term in weights);
  const best = hits.toSorted((a, b) => b.coverage - a.coverage).slice(0, READ_CLOSELY);
  const read = best.map((hit) => new Set(tokenizer.documentTerms(namedText(hit))));
  const weighed = asked.map((term) => ({
    term,
    weight: weigh(term, weights[term.term] ?? 0, read) * (term.light ? LIGHT_SHARE : 1),
  }));
  const mass = sum(weighed.map(({ weight }) => weight));
  if (mass === 0) return 0;
  const covered = read.map((terms) =>
    sum(weighed.map(({ term, weight }) => (hasTerm(terms, term) ? weight : 0))),
  );
  return Math.max(0, ...covered) / mass;
}

function namedText({ title, headingPath, text }: Hit): string {
  return [title, ...headingPath, text].join('\n');
}

/** A word that is there in another form only is as rare as that form: idf is ln((N + 1) / (n + ½)), and n was 0. */
function weigh({ term, forms }: AskedTerm, weight: number, read: readonly ReadonlySet<string>[]): number {
  if (read.some((terms) => terms.has(term))) return weight;
  const having = read.filter((terms) => forms.some((form) => terms.has(form))).length;
  return Math.max(0, weight - Math.log(2 * having + 1));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
