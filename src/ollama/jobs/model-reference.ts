import { ObeliskError } from '../../shared/errors.ts';
import { OLLAMA_MODEL_NAME, ollamaModelName } from '../../shared/ollama-model-name.ts';
import type { OllamaTransferBody } from '../api/request-types.ts';

/** The registry of names that have no host, and the namespace of names that have none. */
const DEFAULT_REGISTRY = 'registry.ollama.ai';
const DEFAULT_NAMESPACE = 'library';

/** A model name in its parts, `[host/][namespace/]model[:tag]`, missing ones filled in. */
export type ModelReference = {
  /** Lower-case, with its port. */
  readonly registry: string;
  readonly namespace: string;
  readonly model: string;
  readonly tag: string;
  /** As Ollama's `/api/tags` prints it. */
  readonly name: string;
};

/** Where models may come from and go to. */
export type RegistryRules = {
  /** `host` or `host:port`. */
  readonly registries: readonly string[];
  /** Those of them that are spoken to without TLS. */
  readonly insecureRegistries: readonly string[];
};

const MAX_NAME_LENGTH = 350;

/**
 * Reads a model name as Ollama does, and refuses what Ollama would take for an address: a scheme, a
 * digest, a path.
 * @throws ObeliskError `invalid_request`.
 */
export function parseModelReference(name: string): ModelReference {
  const text = name.trim();
  if (text.includes('://')) {
    throw invalid(name, 'leave its scheme away: how a registry is spoken to is set in the configuration');
  }
  const parts = text.length > MAX_NAME_LENGTH ? [] : text.split('/');
  const last = parts.at(-1) ?? '';
  const colon = last.indexOf(':');
  const [model, tag] = colon === -1 ? [last, 'latest'] : [last.slice(0, colon), last.slice(colon + 1)];
  const [namespace = DEFAULT_NAMESPACE, registry = DEFAULT_REGISTRY] = parts.slice(0, -1).reverse();
  if (parts.length > 3 || !OLLAMA_MODEL_NAME.test(`${registry}/${namespace}/${model}:${tag}`)) {
    throw invalid(name, 'write it as [registry/][namespace/]model[:tag]');
  }
  return { registry: registry.toLowerCase(), namespace, model, tag, name: ollamaModelName(text) };
}

function invalid(name: string, remedy: string): ObeliskError {
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return new ObeliskError('invalid_request', `${JSON.stringify(shown)} is no model name; ${remedy}`, {
    param: 'model',
  });
}

/**
 * Requires that a model may be fetched from, or sent to, the registry that its name says.
 * @param insecure What was asked for; without TLS only where the configuration says so.
 * @returns whether the registry is spoken to without TLS.
 * @throws ObeliskError `forbidden` naming the setting, `invalid_request` for a name that is none.
 */
export function requireRegistry(
  { registry, name }: ModelReference,
  rules: RegistryRules,
  insecure: boolean | undefined,
): boolean {
  const isNamed = (list: readonly string[]): boolean => list.some((one) => one.toLowerCase() === registry);
  const mayBeInsecure = isNamed(rules.insecureRegistries);
  if (!isNamed(rules.registries)) {
    throw new ObeliskError(
      'forbidden',
      `${name} is of the registry ${registry}, which is not allowed; add it to providers.ollama.registries`,
      { param: 'model' },
    );
  }
  if (insecure === true && !mayBeInsecure) {
    throw new ObeliskError(
      'forbidden',
      `the registry ${registry} is not spoken to without TLS; add it to providers.ollama.insecure_registries too`,
      { param: 'insecure' },
    );
  }
  return mayBeInsecure;
}

/**
 * What Ollama is asked for a transfer of a model, in its own spelling.
 * @throws ObeliskError as `parseModelReference` and `requireRegistry` do.
 */
export function transferBody(
  model: string,
  rules: RegistryRules,
  insecure: boolean | undefined,
): OllamaTransferBody {
  const reference = parseModelReference(model);
  const isInsecure = requireRegistry(reference, rules, insecure);
  return { model: reference.name, ...(isInsecure ? { insecure: true } : {}) };
}
