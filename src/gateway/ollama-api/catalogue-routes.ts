import { z } from 'zod';
import { toInvalidRequest } from '../../providers/openai/describe-issue.ts';
import type { ModelRegistry } from '../../router/deployment.ts';
import type { Call } from '../call.ts';
import { parseWithDefaults, readJsonBody } from '../request-body.ts';
import { findModel } from '../resolve-model.ts';
import { untilGone } from '../until-gone.ts';
import { createCatalogue } from './catalogue.ts';
import type { Catalogue, OllamaClientOf } from './catalogue.ts';
import { doorModelName } from './door-model.ts';

/** What the routes that list and describe models are made of. */
export type CatalogueOptions = { readonly registry: ModelRegistry; readonly ollamaClient: OllamaClientOf };

/** The routes that list and describe models. */
export type CatalogueRoutes = {
  readonly tags: (call: Call) => Promise<void>;
  readonly show: (call: Call) => Promise<void>;
  readonly running: (call: Call) => Promise<void>;
};

/** The Ollama whose API this is: clients look for what they need in it. */
const API_VERSION = '0.24.0';

const showBody = z.lazy(() =>
  z.object({
    model: z.string().nullish(),
    // What the field was called before; Ollama's own command line sends it beside an empty `model`.
    name: z.string().nullish(),
    verbose: z.boolean().nullish(),
  }),
);

/** Answers `GET /api/version`. */
export function answerVersion(call: Call): void {
  call.json(200, JSON.stringify({ version: API_VERSION }));
}

/** Creates `GET /api/tags`, `POST /api/show` and `GET /api/ps`. */
export function createCatalogueRoutes({ registry, ollamaClient }: CatalogueOptions): CatalogueRoutes {
  const catalogue = createCatalogue(registry, ollamaClient);
  return {
    tags: (call) => answerList(call, (signal) => catalogue.tags(signal)),
    running: (call) => answerList(call, (signal) => catalogue.running(signal)),
    show: (call) => show(call, registry, catalogue),
  };
}

async function answerList(
  call: Call,
  list: (signal: AbortSignal) => Promise<readonly object[]>,
): Promise<void> {
  call.json(200, JSON.stringify({ models: await untilGone(call, list) }));
}

async function show(call: Call, registry: ModelRegistry, catalogue: Catalogue): Promise<void> {
  const parsed = showBody.safeParse(parseWithDefaults(await readJsonBody(call.request), {}));
  if (!parsed.success) throw toInvalidRequest(parsed.error);
  const { model, name, verbose } = parsed.data;
  const found = await findModel(registry, doorModelName(registry, (model ? model : name) ?? ''), 'any');
  call.model = found.deployment.modelName;
  call.deploymentId = found.deployment.id;
  const ask = { verbose: verbose === true };
  const shown = await untilGone(call, (signal) => catalogue.show(found.deployment, ask, signal));
  call.json(200, JSON.stringify(shown));
}
