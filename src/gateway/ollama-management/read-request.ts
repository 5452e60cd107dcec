import type { z } from 'zod';
import { toInvalidRequest } from '../../providers/openai/describe-issue.ts';
import { ObeliskError } from '../../shared/errors.ts';
import type { Call } from '../call.ts';

/** A Modelfile with its licences is the longest text that belongs here. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Reads the body of a request.
 * @throws ObeliskError `invalid_request` naming the field, and as `HttpRequest.body` says.
 */
export async function readBody<Value>({ request }: Call, schema: z.ZodType<Value>): Promise<Value> {
  const bytes = await request.body(BODY_LIMIT_BYTES);
  if (bytes.length === 0) throw new ObeliskError('invalid_request', 'the request has no body; send JSON');
  return check(parseJson(bytes), schema);
}

/**
 * Reads the query of a request; each name may stand in it once.
 * @throws ObeliskError `invalid_request` naming the parameter.
 */
export function readQuery<Value>({ request }: Call, schema: z.ZodType<Value>): Value {
  const given = [...new URLSearchParams(request.query)];
  const names = new Set(given.map(([name]) => name));
  if (names.size < given.length) {
    throw new ObeliskError('invalid_request', 'a parameter of the query is given twice; send it once');
  }
  return check(Object.fromEntries(given), schema);
}

/**
 * Checks one text that a path gives.
 * @throws ObeliskError `invalid_request` naming it.
 */
export function checkField(param: string, value: string, schema: z.ZodType<string>): string {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]?.message ?? 'is not valid';
  throw new ObeliskError('invalid_request', `${param}: ${issue}`, { param });
}

function check<Value>(value: unknown, schema: z.ZodType<Value>): Value {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw toInvalidRequest(parsed.error);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    // SyntaxError for JSON, TypeError for UTF-8; neither message may quote the body.
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
    throw new ObeliskError('invalid_request', 'the body is not JSON in UTF-8', { cause: error });
  }
}
