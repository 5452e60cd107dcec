import type { ObeliskError } from '../../../shared/errors.ts';
import { lineSafeJson } from '../../../shared/line-safe-json.ts';

/** Writes an error as Ollama does, as a body and as the last line of a stream. */
export function toDoorError(error: ObeliskError): string {
  return lineSafeJson({ error: textOf(error) });
}

/**
 * Ollama's clients have no code to look at: they look for its words of a model that is not there. The
 * models are listed at another path for them.
 */
function textOf({ code, message }: ObeliskError): string {
  if (code !== 'model_not_found' || /\bmodel\b.*\bnot found\b/.test(message)) return message;
  return `model not found: ${message.replace('; GET /v1/models lists', '; GET /api/tags lists')}`;
}
