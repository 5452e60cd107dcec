import { z } from 'zod';
import { hostName } from '../../ollama/control-plane-requests.ts';
import type { FitAsk, ModelPlace } from '../../ollama/control-plane.ts';

/** What a query may say; its values are text. */

/** Nothing. */
export const noQuery = (): z.ZodType<object> => z.strictObject({});

const host = () => hostName().exactOptional();
const whole = (what: string, most: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'must be a whole number above 0')
    .transform(Number)
    .pipe(z.number().max(most))
    .describe(what)
    .exactOptional();

/** Which host is meant. */
export const placeQuery = (): z.ZodType<ModelPlace> => z.strictObject({ host: host() });

/** How much is shown of a model. */
export const showQuery = (): z.ZodType<ModelPlace & { readonly verbose?: boolean }> =>
  z.strictObject({
    host: host(),
    verbose: z
      .enum(['true', 'false'])
      .transform((value) => value === 'true')
      .describe('Whether long lists (the vocabulary) are shown too')
      .exactOptional(),
  });

/** What an estimate is wanted for. */
export const fitQuery = (): z.ZodType<FitAsk> =>
  z.strictObject({
    host: host(),
    numCtx: whole('Context window in tokens', 100_000_000),
    parallel: whole('Requests at once', 1_024),
  });
