import { ObeliskError } from '../shared/errors.ts';
import type { ModelRegistry, Resolution } from '../router/deployment.ts';

/** What a model is asked for; `any`: to be there. */
export type ModelUse = 'chat' | 'embedding' | 'any';

/**
 * What a name that no model has must look like to be quoted: letters and digits of any script,
 * spaces and `._:/@+-`, no `..`, at most 256 characters.
 */
const SANE_NAME = /^[\p{L}\p{M}\p{N} ._:/@+-]{1,256}$/u;

/** A model that can be asked for now, and every deployment of its name. */
export type FoundModel = Extract<Resolution, { readonly kind: 'found' }>;

/**
 * Finds the deployments that serve a model, at once unless its host is away: then it is looked for
 * first, because it may have come back since the last look.
 * @throws ObeliskError `model_not_found` naming the nearest, `model_unavailable` with host and
 *   remedy, `unsupported` where the model cannot do what is asked, `invalid_request` for what can
 *   be no name.
 */
export function findModel(
  registry: ModelRegistry,
  asked: unknown,
  use: ModelUse,
): FoundModel | Promise<FoundModel> {
  const name = requireName(registry, asked, use);
  const resolution = registry.resolve(name);
  if (resolution.kind === 'away' && resolution.look) {
    return resolution.look().then(() => requireUse(registry, requireModel(registry, name), use));
  }
  return requireUse(registry, toFound(name, resolution), use);
}

/**
 * Finds what a name means, whatever it is asked for.
 * @throws ObeliskError `model_not_found`, `model_unavailable`, `invalid_request`.
 */
export function requireModel(registry: ModelRegistry, name: string): FoundModel {
  return toFound(name, registry.resolve(name));
}

function toFound(name: string, resolution: Resolution): FoundModel {
  if (resolution.kind === 'found') return resolution;
  if (resolution.kind === 'away') {
    const { model, host, trouble = 'is away', remedy } = resolution;
    throw unavailable(`the model ${model} is known, but ${host} ${trouble}; ${remedy}`);
  }
  if (resolution.kind === 'unservable') {
    const { model, place, reason } = resolution;
    throw unavailable(`the model ${model} (${place}) cannot be served: ${reason}`);
  }
  throw modelNotFound(name, resolution.nearest);
}

function unavailable(message: string): ObeliskError {
  return new ObeliskError('model_unavailable', message, { param: 'model' });
}

/** The error for a name that no model has. */
function modelNotFound(name: string, nearest: readonly string[]): ObeliskError {
  if (!SANE_NAME.test(name) || name.split('/').includes('..')) {
    return new ObeliskError(
      'invalid_request',
      'model: expected letters, digits, spaces and ._:/@+- only, at most 256 characters',
      { param: 'model' },
    );
  }
  const hint =
    nearest.length > 0 ? `did you mean ${nearest.join(', ')}?` : 'GET /v1/models lists those there are';
  return new ObeliskError('model_not_found', `there is no model ${name}; ${hint}`, { param: 'model' });
}

function requireName(registry: ModelRegistry, name: unknown, use: ModelUse): string {
  if (typeof name === 'string' && name !== '') return name.normalize('NFC');
  const example = use === 'embedding' ? registry.defaultEmbedding() : registry.defaultChat();
  const hint = example ? `, for example "${example.modelName}"` : '';
  throw new ObeliskError('invalid_request', `model: expected the name of a model${hint}`, { param: 'model' });
}

function requireUse(registry: ModelRegistry, found: FoundModel, use: ModelUse): FoundModel {
  const { deployment } = found;
  if (use === 'any' || deployment.capabilities[use] !== false) return found;
  const instead = use === 'chat' ? registry.defaultChat() : registry.defaultEmbedding();
  const what = use === 'chat' ? 'an embedding model and cannot chat' : 'no embedding model';
  const hint = instead ? `; ask ${instead.modelName}` : '';
  throw new ObeliskError('unsupported', `${deployment.modelName} is ${what}${hint}`, { param: 'model' });
}
