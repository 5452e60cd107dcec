import type { Source } from '../types.ts';
import type { AnswerCheck } from './check-answer.ts';
import type { Citation } from './citations.ts';

/** A source in the message of an answer. */
export type AnsweredSource = Source & { readonly cited: boolean };

/** What Obelisk says of an answer, in the message's `obelisk`. */
export type AnswerFacts = Partial<AnswerCheck> & {
  /** Whether the vault supports an answer. */
  readonly supported: boolean;
  /** Who wrote it: a model's name, or `extractive`; absent when nothing was written. */
  readonly writer?: string;
  /** Number of different sources cited. */
  readonly cited: number;
  /** Numbers that the writer cited and that do not exist; they were taken out. */
  readonly invalidCitations?: readonly number[];
  /** True when the citations were not the writer's: they name the passages that agree with its words. */
  readonly attributed?: boolean;
};

/** What the fields of a message are made from. */
export type AnswerFieldsInput = {
  readonly sources: readonly Source[];
  readonly citations: readonly Citation[];
  readonly facts: Omit<AnswerFacts, 'cited'>;
  /** Where the server is reached (`http://127.0.0.1:4000`), before the sources' own addresses. */
  readonly publicUrl: string;
};

/**
 * Makes the fields that an answer's message carries: `sources` (cited ones first), `annotations` as
 * OpenAI has them (`url_citation`, offsets in UTF-16 units of the final text), and `obelisk`.
 */
export function answerFields({
  sources,
  citations,
  facts,
  publicUrl,
}: AnswerFieldsInput): Record<string, unknown> {
  const cited = new Set(citations.map(({ source }) => source));
  const flagged = sources.map((source): AnsweredSource =>
    Object.assign({}, source, { cited: cited.has(source.index) }),
  );
  const byIndex = new Map(sources.map((source) => [source.index, source]));
  const annotations = citations.flatMap(({ source: index, start, end }) => {
    const source = byIndex.get(index);
    if (source === undefined) return [];
    const url = `${publicUrl}${source.url}`;
    const title = [source.title, ...source.headingPath.slice(-1)].join(' › ');
    return [{ type: 'url_citation', url_citation: { start_index: start, end_index: end, title, url } }];
  });
  return {
    sources: [...flagged.filter((source) => source.cited), ...flagged.filter((source) => !source.cited)],
    annotations,
    obelisk: { ...facts, cited: cited.size },
  };
}
