/** Models of the scripted Ollama, as it lists, shows, downloads and uploads them. */

/** A layer of a model. */
export type ScriptedLayer = { readonly digest: string; readonly bytes: number };

/** A model as the scripted Ollama has it. */
export type ScriptedModel = {
  /** `:latest` where it has no tag. */
  readonly name: string;
  readonly digest?: string;
  /** The sum of the layers unless told. */
  readonly sizeBytes?: number;
  /** `['completion']` unless told; with `embedding` alone it refuses to chat. */
  readonly capabilities?: readonly string[];
  /** Tokens it was trained for; 8,192 unless told. */
  readonly contextLength?: number;
  /** As `show` prints them: `num_ctx 4096`, a line each. */
  readonly parameters?: string;
  readonly template?: string;
  readonly remoteHost?: string;
  /** Over the facts that `show` tells. */
  readonly modelInfo?: Readonly<Record<string, unknown>>;
  /** One of 1,000,000 bytes unless told. */
  readonly layers?: readonly ScriptedLayer[];
};

const DATE = '2026-01-01T00:00:00Z';

/** A name with its tag. */
export function nameOf(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1);
  return last.includes(':') || name === '' ? name : `${name}:latest`;
}

/** 64 hexadecimal digits that only this text has. */
export function digestOf(text: string): string {
  return Buffer.from(text).toString('hex').padEnd(64, '0').slice(-64);
}

/** The layers of a model. */
export function layersOf(model: ScriptedModel): readonly ScriptedLayer[] {
  return model.layers ?? [{ digest: `sha256:${digestOf(model.name)}`, bytes: 1_000_000 }];
}

function sizeOf(model: ScriptedModel): number {
  return model.sizeBytes ?? layersOf(model).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A model as `/api/tags` lists it; since 0.30 with what it can do and its context window. */
export function taggedModel(model: ScriptedModel, version = '0.24.0'): Record<string, unknown> {
  const isNew = Number(version.split('.')[1]) >= 30 || !version.startsWith('0.');
  const details = {
    parent_model: '',
    format: 'gguf',
    family: 'llama',
    families: ['llama'],
    parameter_size: '8B',
    quantization_level: 'Q4_0',
    ...(isNew ? { context_length: model.contextLength ?? 8192, embedding_length: 4096 } : {}),
  };
  return {
    name: nameOf(model.name),
    model: nameOf(model.name),
    modified_at: DATE,
    size: sizeOf(model),
    digest: model.digest ?? digestOf(nameOf(model.name)),
    details,
    ...(isNew ? { capabilities: model.capabilities ?? ['completion'] } : {}),
    ...(model.remoteHost === undefined ? {} : { remote_host: model.remoteHost, remote_model: model.name }),
  };
}

/** A model as `/api/show` describes it. */
export function shownModel(model: ScriptedModel): Record<string, unknown> {
  const { details, modified_at, remote_host, remote_model } = taggedModel(model);
  return {
    modelfile: `FROM ${nameOf(model.name)}\n`,
    parameters: model.parameters ?? '',
    template: model.template ?? '{{ .Prompt }}',
    details,
    model_info: {
      'general.architecture': 'llama',
      'general.parameter_count': 8_000_000_000,
      'llama.context_length': model.contextLength ?? 8192,
      'llama.embedding_length': 4096,
      'llama.block_count': 32,
      'llama.attention.head_count': 32,
      'llama.attention.head_count_kv': 8,
      ...model.modelInfo,
    },
    capabilities: model.capabilities ?? ['completion'],
    modified_at,
    ...(remote_host === undefined ? {} : { remote_host, remote_model }),
  };
}

/** The lines of a download that goes well; `fallsBack` lets `completed` go down, as after a failed part. */
export function pullLines(
  model: ScriptedModel,
  how: { readonly fallsBack?: boolean } = {},
): readonly Record<string, unknown>[] {
  const shares = how.fallsBack === true ? [0, 0.6, 0.2, 0.7, 1] : [0, 0.25, 0.5, 0.75, 1];
  const layers = layersOf(model).flatMap(({ digest, bytes }) =>
    shares.map((share) => ({
      status: `pulling ${digest.slice(7, 19)}`,
      digest,
      total: bytes,
      // Ollama leaves out what is zero.
      ...(share === 0 ? {} : { completed: Math.round(bytes * share) }),
    })),
  );
  return [
    { status: 'pulling manifest' },
    ...layers,
    { status: 'verifying sha256 digest' },
    { status: 'writing manifest' },
    { status: 'success' },
  ];
}

/** The lines of an upload that goes well. */
export function pushLines(model: ScriptedModel): readonly Record<string, unknown>[] {
  const layers = layersOf(model).flatMap(({ digest, bytes }) =>
    [0.5, 1].map((share) => ({
      status: `pushing ${digest.slice(7, 19)}`,
      digest,
      total: bytes,
      completed: Math.round(bytes * share),
    })),
  );
  return [
    { status: 'retrieving manifest' },
    ...layers,
    { status: 'pushing manifest' },
    { status: 'success' },
  ];
}
