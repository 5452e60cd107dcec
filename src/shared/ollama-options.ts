/** A runner option of Ollama: what it means and which values it takes. */
export type RunnerOption = {
  readonly kind: 'whole' | 'boolean';
  readonly minimum?: number;
  /** What Ollama takes it for where it is not sent, where it says so. */
  readonly unsent?: number;
  readonly meaning: string;
};

/** Options that Ollama reads when it loads a model (`api.Runner` of its API). */
export const RUNNER_OPTIONS: Readonly<Record<string, RunnerOption>> = {
  num_ctx: {
    kind: 'whole',
    // Ollama itself raises a smaller window to 4, and then says that no prompt fits.
    minimum: 4,
    meaning:
      'Context window in tokens. Without it: what the model was trained for and what fits in the memory, at most 16,384.',
  },
  num_gpu: {
    kind: 'whole',
    minimum: -1,
    unsent: -1,
    meaning: 'Layers (not GPUs) placed on the GPU: -1 lets Ollama decide, 0 uses the CPU only.',
  },
  main_gpu: {
    kind: 'whole',
    minimum: 0,
    meaning: 'Places the whole model on this one GPU. Leave it out to use several.',
  },
  num_thread: {
    kind: 'whole',
    minimum: 0,
    unsent: 0,
    meaning: 'CPU threads; 0 lets Ollama decide.',
  },
  num_batch: { kind: 'whole', minimum: 1, meaning: 'Tokens of the prompt processed at once.' },
  use_mmap: { kind: 'boolean', meaning: 'Whether the model file is mapped into memory.' },
  draft_num_predict: {
    kind: 'whole',
    minimum: 0,
    meaning: 'Tokens drafted ahead (speculative decoding); 0 turns it off.',
  },
};

/** What a sampling option of Ollama takes; none of them loads a model anew. */
export const SAMPLING_OPTIONS: Readonly<Record<string, 'integer' | 'number' | 'strings'>> = {
  num_keep: 'integer',
  seed: 'integer',
  num_predict: 'integer',
  top_k: 'integer',
  top_p: 'number',
  min_p: 'number',
  typical_p: 'number',
  repeat_last_n: 'integer',
  temperature: 'number',
  repeat_penalty: 'number',
  presence_penalty: 'number',
  frequency_penalty: 'number',
  stop: 'strings',
};

const GONE_IN_0_7 = 'Ollama removed it in 0.7.0 and ignores it';

/** Options that Ollama no longer has, or never had: why, and what to use instead. */
export const REFUSED_OPTIONS: Readonly<Record<string, string>> = {
  low_vram: `${GONE_IN_0_7}; it fits models to the free memory by itself. Use num_gpu to place fewer layers on the GPU`,
  f16_kv: `${GONE_IN_0_7}; start Ollama with OLLAMA_KV_CACHE_TYPE=f16, q8_0 or q4_0`,
  use_mlock: `${GONE_IN_0_7}; use keep_alive to keep a model loaded`,
  logits_all: GONE_IN_0_7,
  vocab_only: GONE_IN_0_7,
  mirostat: GONE_IN_0_7,
  mirostat_tau: GONE_IN_0_7,
  mirostat_eta: GONE_IN_0_7,
  tfs_z: GONE_IN_0_7,
  penalize_newline: GONE_IN_0_7,
  numa: 'Ollama removed it in 0.3.4 and detects NUMA by itself; remove the line',
  gpu_memory_fraction:
    'Ollama never had it; start Ollama with OLLAMA_GPU_OVERHEAD (bytes kept free on each GPU), or use num_gpu to place fewer layers',
  model_overrides: 'it stands one level higher: providers.ollama.model_overrides',
};

/** Why a key cannot stand among the hardware options, or undefined when it is just unknown. */
export function refusalOf(option: string): string | undefined {
  if (Object.hasOwn(SAMPLING_OPTIONS, option)) {
    return 'it is a sampling option, not one of hardware; send it with the request, or set it in litellm_params of a model_list entry';
  }
  return Object.hasOwn(REFUSED_OPTIONS, option) ? REFUSED_OPTIONS[option] : undefined;
}

/** What a person who set a hardware option should know about it; undefined when it does what it says. */
export function noticeOf(option: string, value: number | boolean): string | undefined {
  if (option === 'num_gpu' && typeof value === 'number') {
    if (value === -1) return 'num_gpu: -1 counts layers, not GPUs, and lets Ollama decide how many fit';
    if (value > 0 && value < 10) {
      return `num_gpu: ${value} places ${value} layers on the GPU and all others on the CPU; it does not count GPUs. Use -1 to let Ollama decide`;
    }
  }
  if (option === 'main_gpu') {
    return `main_gpu: ${value} places the whole model on that GPU; remove it to use several`;
  }
  return undefined;
}
