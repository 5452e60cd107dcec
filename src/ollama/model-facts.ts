import { isOllamaCloudName, ollamaModelName } from '../providers/ollama/model-name.ts';

import type { OllamaShow, OllamaTag } from './api-types.ts';

/** What is known of one installed model. */
export type OllamaModel = {
  /** As `/api/tags` prints it. */
  readonly name: string;
  /** Digest of the manifest; empty when the server did not say. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch; 0 when unknown. */
  readonly modifiedMs: number;
  readonly chat: boolean;
  readonly embedding: boolean;
  readonly tools: boolean;
  readonly vision: boolean;
  readonly thinking: boolean;
  /** Tokens the model was trained for. */
  readonly contextLength: number | undefined;
  /** `PARAMETER num_ctx` of the model itself. */
  readonly ownNumCtx: number | undefined;
  /** Where Ollama forwards the model to; its text leaves the machine. */
  readonly remoteHost: string | undefined;
  /** Sizes that decide how much memory a context window takes. */
  readonly shape: ModelShape | undefined;
};

/** Sizes of a transformer, from `/api/show` `model_info`. */
export type ModelShape = {
  readonly blockCount: number;
  readonly headCount: number;
  readonly keyValueHeads: number;
  readonly embeddingLength: number;
};

/** Architectures that only embed, for servers that do not tell capabilities (before 0.6.4). */
const EMBEDDING_FAMILIES: ReadonlySet<string> = new Set([
  'bert',
  'nomic-bert',
  'nomic-bert-moe',
  'xlm-roberta',
]);
const VISION_FAMILIES: ReadonlySet<string> = new Set(['clip', 'mllama']);

/** Puts together what `/api/tags` and `/api/show` say of one model. */
export function toOllamaModel(tag: OllamaTag, show: OllamaShow | undefined): OllamaModel {
  const info = new ModelInfo(show?.model_info ?? {});
  return {
    name: ollamaModelName(tag.name),
    digest: tag.digest ?? '',
    sizeBytes: tag.size ?? 0,
    modifiedMs: Date.parse(tag.modified_at ?? '') || 0,
    ...abilities(tag, show),
    contextLength: info.number('context_length') ?? tag.details?.context_length ?? undefined,
    ownNumCtx: parameterOf(show?.parameters ?? '', 'num_ctx'),
    remoteHost: remoteHostOf(tag, show),
    shape: shapeOf(info),
  };
}

type Abilities = Pick<OllamaModel, 'chat' | 'embedding' | 'tools' | 'vision' | 'thinking'>;

function abilities(tag: OllamaTag, show: OllamaShow | undefined): Abilities {
  const told = show?.capabilities ?? tag.capabilities;
  if (told && told.length > 0) {
    return {
      chat: told.includes('completion'),
      embedding: told.includes('embedding'),
      tools: told.includes('tools'),
      vision: told.includes('vision'),
      thinking: told.includes('thinking'),
    };
  }
  return guessedAbilities(tag, show);
}

function guessedAbilities(tag: OllamaTag, show: OllamaShow | undefined): Abilities {
  const families = [tag.details?.family, ...(tag.details?.families ?? [])].filter(
    (name) => typeof name === 'string',
  );
  const pools = Object.keys(show?.model_info ?? {}).some((key) => key.endsWith('.pooling_type'));
  const embedding = pools || families.some((family) => EMBEDDING_FAMILIES.has(family));
  const template = show?.template ?? '';
  return {
    chat: !embedding,
    embedding,
    tools: template.includes('.Tools'),
    vision: families.some((family) => VISION_FAMILIES.has(family)) || Boolean(show?.projector_info),
    thinking: template.includes('.Think'),
  };
}

function remoteHostOf(tag: OllamaTag, show: OllamaShow | undefined): string | undefined {
  const told = tag.remote_host ?? show?.remote_host ?? '';
  if (told !== '') return told;
  return isOllamaCloudName(tag.name) ? 'ollama.com' : undefined;
}

/** Finds `PARAMETER name value` in the text of `/api/show` `parameters`. */
function parameterOf(parameters: string, name: string): number | undefined {
  const value = Number(new RegExp(`^${name}\\s+(\\d+)\\s*$`, 'm').exec(parameters)?.[1]);
  return Number.isInteger(value) && value > 0 ? value : undefined;
}

/** Reads `model_info`, whose keys begin with the name of the architecture. */
class ModelInfo {
  readonly #info: Readonly<Record<string, unknown>>;
  readonly #architecture: string;

  constructor(info: Readonly<Record<string, unknown>>) {
    this.#info = info;
    const architecture = info['general.architecture'];
    this.#architecture = typeof architecture === 'string' ? architecture : '';
  }

  /** A positive number; of a list (one entry a block), the largest. */
  number(key: string): number | undefined {
    const value = this.#info[`${this.#architecture}.${key}`];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const numbers = list.filter((item) => typeof item === 'number' && item > 0);
    return numbers.length === 0 ? undefined : Math.max(...numbers.map(Number));
  }
}

function shapeOf(info: ModelInfo): ModelShape | undefined {
  const blockCount = info.number('block_count');
  const headCount = info.number('attention.head_count');
  const embeddingLength = info.number('embedding_length');
  if (blockCount === undefined || headCount === undefined || embeddingLength === undefined) return undefined;
  return {
    blockCount,
    headCount,
    embeddingLength,
    keyValueHeads: info.number('attention.head_count_kv') ?? headCount,
  };
}
