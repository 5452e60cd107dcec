import { parseJson } from '../../shared/parse-json.ts';
import type { Usage } from '../chat.ts';
import { findMembers } from '../../wire/json-members.ts';
import { readFailure } from './error-body.ts';
import type { UpstreamFailure } from './error-body.ts';
import { usageOf } from './stream-tail.ts';

/** What a whole JSON answer turned out to be. */
export type AnswerCheck =
  | { readonly kind: 'answer'; readonly usage?: Usage }
  /** 200 with an error inside, as some servers and proxies send it. */
  | { readonly kind: 'failure'; readonly failure: UpstreamFailure }
  | { readonly kind: 'invalid' };

const NAMES = { choices: ['choices', 'error', 'usage'], data: ['data', 'error', 'usage'] } as const;

/**
 * Tells an answer from an error, a cut-off body and a web page, without parsing it in the usual case.
 * A body whose end was lost is no answer, however its framing ended.
 *
 * @param proof The key that only an answer has: `choices` or `data`.
 */
export function checkAnswer(body: Buffer, proof: 'choices' | 'data'): AnswerCheck {
  const text = body.toString('latin1');
  const members = findMembers(text, NAMES[proof]);
  if (members === undefined) return { kind: 'invalid' };
  const [answer, error, usageRange] = members;
  if (error !== undefined) {
    // Some servers say `"error": null` in every answer.
    const failure = readFailure(parseJson(body.toString()));
    if (failure) return { kind: 'failure', failure };
  }
  if (answer === undefined) return { kind: 'invalid' };
  const usage = usageRange && usageOf({ usage: parseJson(text.slice(usageRange.start, usageRange.end)) });
  return usage ? { kind: 'answer', usage } : { kind: 'answer' };
}
