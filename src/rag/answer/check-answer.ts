import type { Source } from '../types.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { Citation } from './citations.ts';
import { splitSentences, type Sentence } from './sentences.ts';

/** How well an answer rests on its sources, measured without a model. */
export type AnswerCheck = {
  /** Share of its sentences that end with a citation, 0–1; 1 for an answer without sentences. */
  readonly citedShare: number;
  /**
   * Mean over the cited sentences of the largest share of a sentence's content words in one of the
   * sources that it cites, 0–1. A cheap alarm: blind to negation. 0 without citations.
   */
  readonly lexicalSupport: number;
  /** Numbers of the answer that are in none of the sources. */
  readonly unsupportedNumbers: readonly string[];
};

type Claim = { readonly text: string; readonly cites: ReadonlySet<number> };

const MARKS = /\[\d{1,2}\]/g;
const NUMBER = /\p{Nd}+(?:[.,:'’\u00a0]\p{Nd}+)*/gu;
/** Headings, rules, table borders and the like claim nothing. */
const CLAIMS_NOTHING = /^\s*(?:#{1,6}\s|[-=*_|:\s]+$|!\[)/u;

/** Checks a finished answer against the sources that it was given. */
export function checkAnswer(
  text: string,
  {
    citations,
    sources,
    tokenizer,
  }: {
    readonly citations: readonly Citation[];
    readonly sources: readonly Source[];
    readonly tokenizer: Tokenizer;
  },
): AnswerCheck {
  const claims = claimsOf(text, citations);
  const cited = claims.filter(({ cites }) => cites.size > 0);
  const terms = new Map(sources.map((source) => [source.index, termsOf(source, tokenizer)]));
  const supports = cited.map((claim) => supportOf(claim, terms, tokenizer));
  const known = new Set(
    sources.flatMap((source) => numbersOf(`${source.title} ${source.headingPath.join(' ')} ${source.text}`)),
  );
  const said = new Set(claims.flatMap((claim) => numbersOf(claim.text)));
  return {
    citedShare: claims.length === 0 ? 1 : round(cited.length / claims.length),
    lexicalSupport: round(supports.reduce((sum, value) => sum + value, 0) / Math.max(1, supports.length)),
    unsupportedNumbers: [...said].filter((number) => !known.has(number)),
  };
}

/** The sources that hold most of an answer's content words, best first: where an uncited answer may come from. */
export function sourcesLike(text: string, sources: readonly Source[], tokenizer: Tokenizer): Source[] {
  const terms = new Map(sources.map((source) => [source.index, termsOf(source, tokenizer)]));
  const claims = claimsOf(text, []);
  const scored = sources.map((source) => {
    const supports = claims.map(({ text: claim }) =>
      supportOf({ text: claim, cites: new Set([source.index]) }, terms, tokenizer),
    );
    return { source, best: Math.max(0, ...supports) };
  });
  const like = scored.filter(({ best }) => best >= 0.5).sort((a, b) => b.best - a.best);
  return like.slice(0, 3).map(({ source }) => source);
}

function claimsOf(text: string, citations: readonly Citation[]): Claim[] {
  const prose = withoutCode(text);
  const sentences = splitSentences(prose).filter((sentence) => !CLAIMS_NOTHING.test(sentence.text));
  return attach(sentences, citations)
    .map(({ text: claim, cites }) => ({ text: claim.replaceAll(MARKS, ' '), cites }))
    .filter(({ text: claim }) => /\p{L}{2}|\p{Script=Han}|\p{Nd}/u.test(claim));
}

/** A mark belongs to the sentence that it stands in, or after: `… brackets. [1]` cites what was said before it. */
function attach(sentences: readonly Sentence[], citations: readonly Citation[]): Claim[] {
  const claims = sentences.map(({ text, start, end }) => ({ text, start, end, cites: new Set<number>() }));
  for (const { source, start } of citations) {
    const at = claims.findLastIndex((claim) => claim.start <= start);
    const inside = claims[at];
    const leads = inside !== undefined && /^[\s[\]\d]*$/u.test(inside.text.slice(0, start - inside.start));
    const claim = leads && at > 0 && inside.start > 0 ? claims[at - 1] : inside;
    claim?.cites.add(source);
  }
  return claims;
}

/** Blanks in place of fenced code, so that offsets stay. */
function withoutCode(text: string): string {
  return text.replaceAll(/^[ \t]*(`{3,}|~{3,})[\s\S]*?(?:^[ \t]*\1[`~]*[ \t]*$|$(?![\s\S]))/gm, (code) =>
    code.replaceAll(/[^\n]/g, ' '),
  );
}

function termsOf(source: Source, tokenizer: Tokenizer): Set<string> {
  const { title, headingPath, text } = source;
  return new Set(tokenizer.documentTerms([title, ...headingPath, text].join('\n')));
}

function supportOf(
  { text, cites }: Claim,
  sources: ReadonlyMap<number, ReadonlySet<string>>,
  tokenizer: Tokenizer,
): number {
  const content = new Set(tokenizer.documentTerms(text).filter((term) => !tokenizer.isStopTerm(term)));
  if (content.size === 0) return 1;
  let best = 0;
  for (const cited of cites) {
    const terms = sources.get(cited);
    const found = [...content].filter((term) => terms?.has(term) === true).length;
    best = Math.max(best, found / content.size);
  }
  return best;
}

/** Numbers without what groups their digits; the number of an ordered item is none. */
function numbersOf(text: string): string[] {
  const matches = text.replaceAll(/^\s*\d{1,3}[.)]\s/gm, ' ').matchAll(NUMBER);
  return [...matches].map(([number]) =>
    number.normalize('NFKC').replaceAll(/[,'’\u00a0](?=\d{3}(?!\d))/g, ''),
  );
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
