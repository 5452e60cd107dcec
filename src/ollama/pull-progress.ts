import { z } from 'zod';

import { ObeliskError } from '../shared/errors.ts';
import { ollamaError } from '../providers/ollama/errors.ts';

/** One step of a download. A layer tells bytes; their sum over layers grows as layers appear. */
export type OllamaProgress = {
  readonly status: string;
  readonly digest?: string | undefined;
  /** Bytes of the layer. */
  readonly total?: number | undefined;
  /** Bytes of the layer that are there; may fall after a part failed. */
  readonly completed?: number | undefined;
};

const line = z.lazy(() =>
  z.object({
    error: z.string().optional(),
    status: z.string().optional(),
    digest: z.string().optional(),
    total: z.number().optional(),
    completed: z.number().optional(),
  }),
);

/**
 * Reads the lines of `/api/pull`.
 * @throws ObeliskError for an `{"error"}` line, `upstream_invalid` when the lines end without `success`.
 */
export async function* readPull(
  lines: AsyncIterable<unknown>,
  of: { readonly host: string; readonly model: string },
): AsyncIterable<OllamaProgress> {
  let succeeded = false;
  for await (const json of lines) {
    const parsed = line.safeParse(json);
    if (!parsed.success)
      throw new ObeliskError('upstream_invalid', `ollama ${of.host} sent no progress of its own`);
    const { error, status = '', ...numbers } = parsed.data;
    if (error !== undefined) throw ollamaError({ text: error, ...of });
    succeeded ||= status === 'success';
    yield { status, ...numbers };
  }
  if (succeeded) return;
  throw new ObeliskError(
    'upstream_invalid',
    `ollama ${of.host} ended the download of ${of.model} unfinished; pull again`,
  );
}
