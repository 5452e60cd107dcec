import { z } from 'zod';

import { ObeliskError } from '../../shared/errors.ts';

/** One step of a download, an upload or a creation. A layer tells bytes; their sum grows as layers appear. */
export type OllamaProgress = {
  /** Ollama's own word for what it does. */
  readonly status: string;
  readonly digest?: string | undefined;
  /** Bytes of the layer. */
  readonly total?: number | undefined;
  /** Bytes of the layer that are there; may fall after a part failed. */
  readonly completed?: number | undefined;
  /** What a person should know; Obelisk's own word. */
  readonly notice?: string | undefined;
};

const line = z.lazy(() =>
  z.object({
    status: z.string().optional(),
    digest: z.string().optional(),
    total: z.number().optional(),
    completed: z.number().optional(),
  }),
);

/**
 * Reads the lines of `/api/pull`, `/api/push` and `/api/create`.
 * @throws ObeliskError `upstream_invalid` for a line that is not Ollama's, and when `success` is not
 *   the last: where a creation pulls first, the `success` of the pull stands in the middle.
 */
export async function* readProgress(
  lines: AsyncIterable<unknown>,
  of: { readonly host: string; readonly model: string; readonly what: string },
): AsyncIterable<OllamaProgress> {
  let last: string | undefined;
  for await (const json of lines) {
    const parsed = line.safeParse(json);
    if (!parsed.success)
      throw new ObeliskError('upstream_invalid', `ollama ${of.host} sent no progress of its own`);
    const { status = '', ...numbers } = parsed.data;
    last = status;
    yield { status, ...numbers };
  }
  if (last === 'success') return;
  throw new ObeliskError(
    'upstream_invalid',
    `ollama ${of.host} ended ${of.what} of ${of.model} unfinished; try again`,
  );
}
