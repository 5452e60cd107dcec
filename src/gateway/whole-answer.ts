import { ObeliskError } from '../shared/errors.ts';
import { checkAnswer } from '../providers/openai/answer-check.ts';
import type { UpstreamFailure } from '../providers/openai/error-body.ts';
import { toStreamedError, toUpstreamError } from '../providers/openai/upstream-error.ts';
import type { Usage } from '../providers/chat.ts';
import type { LogFields } from '../telemetry/log.ts';
import type { Headers } from '../wire/http.ts';
import type { UpstreamTarget } from './upstream-target.ts';

/** An upstream's answer in one piece. */
export type WholeAnswer = { readonly status: number; readonly headers: Headers; readonly body: Buffer };

/** What was asked for. */
export type Expected = {
  readonly target: UpstreamTarget;
  /** The key that only an answer has. */
  readonly proof: 'choices' | 'data';
  readonly stream: boolean;
  /** Milliseconds since the epoch. */
  readonly unixMs: () => number;
};

/** What an answer turned out to be. */
export type Judgement =
  | { readonly kind: 'answer'; readonly usage: Usage | undefined }
  | {
      readonly kind: 'failure';
      readonly error: ObeliskError;
      /** How a web page in place of an answer begins: for the log only. */
      readonly page?: string;
    };

const PAGE_LIMIT = 200;

/** Tells an answer from the errors and pages that come in its place. */
export function judgeWhole(answer: WholeAnswer, expected: Expected): Judgement {
  const { status, headers, body } = answer;
  const { target, proof, stream, unixMs } = expected;
  if (status < 200 || status > 299) {
    const retryAfter = headers['retry-after'];
    const { name: upstream, redact } = target;
    const refusal = { status, retryAfter, body: body.toString(), redact, upstream };
    return { kind: 'failure', error: toUpstreamError(refusal, unixMs()) };
  }
  const check = checkAnswer(body, proof);
  if (check.kind === 'failure') return { kind: 'failure', error: reportedError(check.failure, target) };
  if (check.kind === 'answer' && !stream) return { kind: 'answer', usage: check.usage };
  const what = stream ? 'did not stream its answer' : 'answered with something that is no answer';
  return { kind: 'failure', error: invalidAnswer(what, target), ...pageOf(body, target) };
}

/** What the log says of an answer that is none: nothing that could be somebody's prompt. */
export function aboutAnswer(
  { id, deploymentId }: { readonly id: string; readonly deploymentId: string },
  { headers, body }: WholeAnswer,
  page: string | undefined,
): LogFields {
  const contentType = headers['content-type'];
  return { requestId: id, deployment: deploymentId, contentType, bytes: body.length, page };
}

/** The error that an upstream reported inside a 200. */
export function reportedError(failure: UpstreamFailure, { redact, name }: UpstreamTarget): ObeliskError {
  return toStreamedError(failure, { upstream: name, redact });
}

/** The error for an answer that is none. `what` continues the upstream's name. */
export function invalidAnswer(what: string, { name }: UpstreamTarget): ObeliskError {
  return new ObeliskError(
    'upstream_invalid',
    `${name} ${what}; check that its api_base is an OpenAI-compatible server`,
  );
}

/** Of markup the beginning tells whose page it is; anything else may be the answer to somebody's prompt. */
function pageOf(body: Buffer, { redact }: UpstreamTarget): { readonly page?: string } {
  const start = body.toString('utf8', 0, PAGE_LIMIT).trimStart();
  return start.startsWith('<') ? { page: redact(start) } : {};
}
