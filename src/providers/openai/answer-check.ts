import type { Usage } from '../chat.ts';
import { readFailure } from './error-body.ts';
import type { UpstreamFailure } from './error-body.ts';
import { usageOf } from './stream-tap.ts';

/** What a whole JSON answer turned out to be. */
export type AnswerCheck =
  | { readonly kind: 'answer'; readonly usage?: Usage }
  /** 200 with an error inside, as some servers and proxies send it. */
  | { readonly kind: 'failure'; readonly failure: UpstreamFailure }
  | { readonly kind: 'invalid' };

const PROOF_KEYS = { choices: Buffer.from('"choices"'), data: Buffer.from('"data"') };
const ERROR_KEY = Buffer.from('"error"');
const USAGE_KEY = Buffer.from('"usage"');
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Tells an answer from an error, a cut-off body and a web page, without parsing it in the usual
 * case: a quoted key cannot stand inside a JSON string unescaped.
 *
 * @param proof The key that only an answer has: `choices` or `data`.
 */
export function checkAnswer(body: Buffer, proof: 'choices' | 'data'): AnswerCheck {
  if (!isObjectShaped(body)) return { kind: 'invalid' };
  if (body.includes(ERROR_KEY) || !body.includes(PROOF_KEYS[proof])) return checkParsed(body, proof);
  const usage = readUsage(body);
  return usage ? { kind: 'answer', usage } : { kind: 'answer' };
}

function checkParsed(body: Buffer, proof: string): AnswerCheck {
  const json = parse(body.toString());
  const failure = readFailure(json);
  if (failure) return { kind: 'failure', failure };
  if (typeof json !== 'object' || json === null || !(proof in json)) return { kind: 'invalid' };
  const usage = usageOf(json);
  return usage ? { kind: 'answer', usage } : { kind: 'answer' };
}

function isObjectShaped(body: Buffer): boolean {
  let start = 0;
  let end = body.length - 1;
  while (start < end && isSpace(body[start])) start += 1;
  while (end > start && isSpace(body[end])) end -= 1;
  return body[start] === OPEN_BRACE && body[end] === CLOSE_BRACE && end > start;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function readUsage(body: Buffer): Usage | undefined {
  const key = body.lastIndexOf(USAGE_KEY);
  const start = key === -1 ? -1 : body.indexOf(OPEN_BRACE, key);
  if (start === -1) return undefined;
  let depth = 0;
  for (let at = start; at < body.length; at += 1) {
    if (body[at] === OPEN_BRACE) depth += 1;
    else if (body[at] === CLOSE_BRACE) depth -= 1;
    if (depth === 0) return usageOf({ usage: parse(body.toString('utf8', start, at + 1)) });
  }
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
