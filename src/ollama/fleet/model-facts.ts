import { isOllamaCloudName, ollamaModelName } from '../../shared/ollama-model-name.ts';
import { RUNNER_OPTIONS } from '../../shared/ollama-options.ts';
import type { RunnerOption } from '../../shared/ollama-options.ts';

import type { OllamaShow, OllamaTag } from '../api/api-types.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';

/** What is known of one installed model. */
export type OllamaModel = {
  /** As `/api/tags` prints it. */
  readonly name: string;
  /** Digest of the manifest; empty when the server did not say. */
  readonly digest: string;
  /** Digests of the files that are loaded: the weights and what is joined to them. Absent when unknown. */
  readonly weights?: string;
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
  /** Runner options among the model's own `PARAMETER`s. */
  readonly ownOptions: RunnerOptions;
  /** Where Ollama forwards the model to; its text leaves the machine. */
  readonly remoteHost: string | undefined;
  /** Sizes that decide how much memory a context window takes. */
  readonly shape: ModelShape | undefined;
};

/** Sizes of a transformer, from `/api/show` `model_info`. */
export type ModelShape = {
  readonly architecture: string;
  readonly blockCount: number;
  /** Heads of the key-value cache, of each block where the server tells them one by one. */
  readonly keyValueHeads: number | readonly number[];
  /** Elements of one head's key and of its value. */
  readonly keyLength: number;
  readonly valueLength: number;
  /** Tokens that a block with a sliding window looks back at. */
  readonly slidingWindow?: number;
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
    ...weightsIn(show),
    sizeBytes: tag.size ?? 0,
    modifiedMs: Date.parse(tag.modified_at ?? '') || 0,
    ...abilities(tag, show),
    contextLength: info.number('context_length') ?? tag.details?.context_length ?? undefined,
    ownOptions: ownOptionsOf(show?.parameters ?? ''),
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

/** Where the files of a model lie at the host is told in its Modelfile: `FROM /…/blobs/sha256-…`. */
function weightsIn(show: OllamaShow | undefined): Pick<OllamaModel, 'weights'> {
  const files = (show?.modelfile ?? '').matchAll(
    /^(?:FROM|ADAPTER)[ \t].*\bsha256[-:]([0-9a-f]{64})[ \t\r]*$/gmu,
  );
  const weights = [...files].map(([, digest]) => digest).join(' ');
  return weights === '' ? {} : { weights };
}

/** Runner options in the text of `/api/show` `parameters`; Ollama stores bad values too, and they are left out. */
function ownOptionsOf(parameters: string): RunnerOptions {
  const options: Record<string, number | boolean> = {};
  for (const [, name = '', text = ''] of parameters.matchAll(/^(\S+)[ \t]+(\S+)[ \t]*$/gmu)) {
    const value = Object.hasOwn(RUNNER_OPTIONS, name) ? ownValue(RUNNER_OPTIONS[name], text) : undefined;
    if (value !== undefined) options[name] = value;
  }
  return options;
}

function ownValue(option: RunnerOption | undefined, text: string): number | boolean | undefined {
  if (option?.kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  const value = Number(text);
  return Number.isInteger(value) && value >= (option?.minimum ?? 0) ? value : undefined;
}

/** Reads `model_info`, whose keys begin with the name of the architecture. */
class ModelInfo {
  readonly #info: Readonly<Record<string, unknown>>;
  readonly architecture: string;

  constructor(info: Readonly<Record<string, unknown>>) {
    this.#info = info;
    const architecture = info['general.architecture'];
    this.architecture = typeof architecture === 'string' ? architecture : '';
  }

  /** Whether the server has a list there that it tells only when asked for everything. */
  isElided(key: string): boolean {
    const value = this.#info[`${this.architecture}.${key}`];
    return value === null || (Array.isArray(value) && value.length === 0);
  }

  /** A list with one number a block. */
  list(key: string): readonly number[] | undefined {
    const value: unknown = this.#info[`${this.architecture}.${key}`];
    if (!Array.isArray(value)) return undefined;
    const numbers = value.filter((item) => typeof item === 'number').map(Number);
    return numbers.length === value.length ? numbers : undefined;
  }

  /** A positive number; of a list (one entry a block), the largest. */
  number(key: string): number | undefined {
    const value = this.#info[`${this.architecture}.${key}`];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const numbers = list.filter((item) => typeof item === 'number' && item > 0);
    return numbers.length === 0 ? undefined : Math.max(...numbers.map(Number));
  }
}

function shapeOf(info: ModelInfo): ModelShape | undefined {
  const blockCount = info.number('block_count');
  const keyValueHeads = keyValueHeadsOf(info);
  const keyLength = info.number('attention.key_length') ?? headWidthOf(info);
  const valueLength = info.number('attention.value_length') ?? headWidthOf(info);
  if (blockCount === undefined || keyValueHeads === undefined) return undefined;
  if (keyLength === undefined || valueLength === undefined) return undefined;
  const slidingWindow = info.number('attention.sliding_window');
  const { architecture } = info;
  const shape = { architecture, blockCount, keyValueHeads, keyLength, valueLength };
  return slidingWindow === undefined ? shape : { ...shape, slidingWindow };
}

function keyValueHeadsOf(info: ModelInfo): ModelShape['keyValueHeads'] | undefined {
  const key = 'attention.head_count_kv';
  if (info.isElided(key)) return undefined;
  return info.list(key) ?? info.number(key) ?? info.number('attention.head_count');
}

function headWidthOf(info: ModelInfo): number | undefined {
  const headCount = info.number('attention.head_count');
  const embeddingLength = info.number('embedding_length');
  return headCount === undefined || embeddingLength === undefined ? undefined : embeddingLength / headCount;
}
