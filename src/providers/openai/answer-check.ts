import type { Usage } from '../chat.ts';
import { membersOf } from '../../wire/json-members.ts';
import { readFailure } from './error-body.ts';
import type { UpstreamFailure } from './error-body.ts';
import { usageOf } from './stream-tap.ts';

/** What a whole JSON answer turned out to be. */
export type AnswerCheck =
  | { readonly kind: 'answer'; readonly usage?: Usage }
  /** 200 with an error inside, as some servers and proxies send it. */
  | { readonly kind: 'failure'; readonly failure: UpstreamFailure }
  | { readonly kind: 'invalid' };

/**
 * Tells an answer from an error, a cut-off body and a web page, without parsing it in the usual case.
 * A body whose end was lost is no answer, however its framing ended.
 *
 * @param proof The key that only an answer has: `choices` or `data`.
 */
export function checkAnswer(body: Buffer, proof: 'choices' | 'data'): AnswerCheck {
  const text = body.toString('latin1');
  const members = membersOf(text);
  if (members === undefined) return { kind: 'invalid' };
  if (members.has('error')) {
    // Some servers say `"error": null` in every answer.
    const failure = readFailure(parse(body.toString()));
    if (failure) return { kind: 'failure', failure };
  }
  if (!members.has(proof)) return { kind: 'invalid' };
  const range = members.get('usage');
  const usage = range && usageOf({ usage: parse(text.slice(range.start, range.end)) });
  return usage ? { kind: 'answer', usage } : { kind: 'answer' };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
