import { rowsOf } from './environment-variable.ts';
import type { EnvironmentVariable, VariableMore } from './environment-variable.ts';

/** Release since which models run in a llama-server process that inherits the environment. */
export const LLAMA_SERVER_SINCE = '0.30.0';

const SINCE: VariableMore = { since: LLAMA_SERVER_SINCE };
const LESS_THAN = (instead: string): VariableMore => ({ ...SINCE, overridden: true, instead });

/** What Ollama always gives on the command line, which wins over the environment. */
const OVERRIDDEN = [
  ['LLAMA_ARG_CTX_SIZE', 'num_ctx of the profile'],
  ['LLAMA_ARG_N_PARALLEL', 'OLLAMA_NUM_PARALLEL'],
  ['LLAMA_ARG_FLASH_ATTN', 'OLLAMA_FLASH_ATTENTION'],
  ['LLAMA_ARG_MODEL', 'the model of the request'],
  ['LLAMA_ARG_HOST', 'OLLAMA_HOST'],
  ['LLAMA_ARG_PORT', 'OLLAMA_HOST'],
  ['LLAMA_ARG_UI', 'nothing: the page is always off'],
  ['LLAMA_ARG_OFFLINE', 'nothing: it is always offline'],
  ['LLAMA_ARG_LOG_VERBOSITY', 'OLLAMA_DEBUG'],
  ['LLAMA_ARG_LOG_PREFIX', 'OLLAMA_DEBUG'],
  ['LLAMA_ARG_LOG_TIMESTAMPS', 'OLLAMA_DEBUG'],
] as const;

/**
 * Arguments of llama-server that its environment may set, for every model of the Ollama server.
 * Ollama gives only what it knows better on the command line (`startLlamaServer`).
 */
export const LLAMA_SERVER_VARIABLES: readonly EnvironmentVariable[] = rowsOf('llama-server', [
  [
    'LLAMA_ARG_FIT',
    'choice',
    'on',
    'Fits what is not set (layers on the GPU, context) to the memory that is free.',
    { ...SINCE, choices: ['on', 'off'] },
  ],
  [
    'LLAMA_ARG_FIT_TARGET',
    'list',
    '1024',
    'MiB that fitting leaves free on each device, one number or one for each, separated by commas.',
    SINCE,
  ],
  ['LLAMA_ARG_FIT_CTX', 'count', '4096', 'Smallest context that fitting may choose.', SINCE],
  [
    'LLAMA_ARG_TENSOR_SPLIT',
    'list',
    'by free memory',
    'Share of the model that each GPU gets, as 3,1.',
    SINCE,
  ],
  [
    'LLAMA_ARG_SPLIT_MODE',
    'choice',
    'layer',
    'How a model is split over GPUs. main_gpu of a profile sets none.',
    { ...SINCE, choices: ['none', 'layer', 'row', 'tensor'] },
  ],
  [
    'LLAMA_ARG_MAIN_GPU',
    'count',
    '0',
    'GPU of a model that is not split. main_gpu of a profile wins.',
    SINCE,
  ],
  ['LLAMA_ARG_DEVICE', 'list', 'all', 'Devices that are used.', SINCE],
  ['LLAMA_ARG_N_GPU_LAYERS', 'text', 'auto', 'Layers in video memory. num_gpu of a profile wins.', SINCE],
  [
    'LLAMA_ARG_THREADS',
    'count',
    'the physical cores',
    'Threads that write. num_thread of a profile wins.',
    SINCE,
  ],
  [
    'LLAMA_ARG_BATCH',
    'count',
    '2048',
    'Tokens of a prompt that are taken at once. num_batch of a profile wins.',
    SINCE,
  ],
  [
    'LLAMA_ARG_UBATCH',
    'count',
    '512',
    'Tokens of a prompt that are computed at once. num_batch of a profile wins.',
    SINCE,
  ],
  [
    'LLAMA_ARG_CACHE_TYPE_K',
    'text',
    'f16',
    'Type of the keys in the cache. OLLAMA_KV_CACHE_TYPE wins.',
    SINCE,
  ],
  [
    'LLAMA_ARG_CACHE_TYPE_V',
    'text',
    'f16',
    'Type of the values in the cache. OLLAMA_KV_CACHE_TYPE wins.',
    SINCE,
  ],
  [
    'LLAMA_ARG_CACHE_RAM',
    'count',
    '8192',
    'MiB of main memory for prompts that were read before; 0 keeps none.',
    SINCE,
  ],
  [
    'LLAMA_ARG_CACHE_REUSE',
    'count',
    '0',
    'Least tokens in a row that are taken over from an earlier prompt; 0 only its beginning.',
    SINCE,
  ],
  ['LLAMA_ARG_KV_OFFLOAD', 'switch', 'on', 'Keeps the cache in video memory.', SINCE],
  ['LLAMA_ARG_KV_UNIFIED', 'switch', 'by the number of slots', 'One cache for all requests at once.', SINCE],
  [
    'LLAMA_ARG_SWA_FULL',
    'switch',
    'off',
    'Keeps the whole context of models with a sliding window: more memory, earlier prompts can be used again.',
    SINCE,
  ],
  ['LLAMA_ARG_CTX_CHECKPOINTS', 'count', '32', 'States of such a model that are kept to go back to.', SINCE],
  [
    'LLAMA_ARG_CPU_MOE',
    'switch',
    'off',
    'Keeps the experts of a mixture in main memory, so that a large one fits a small GPU.',
    SINCE,
  ],
  ['LLAMA_ARG_N_CPU_MOE', 'count', '0', 'The same for the first layers only.', SINCE],
  ['LLAMA_ARG_OVERRIDE_TENSOR', 'list', 'none', 'Where single tensors go: pattern=buffer type.', SINCE],
  [
    'LLAMA_ARG_LOAD_MODE',
    'choice',
    'auto',
    'How the file is read; mlock keeps it in memory. use_mmap: false of a profile wins.',
    { ...SINCE, choices: ['auto', 'none', 'mmap', 'mlock', 'mmap+mlock', 'dio'] },
  ],
  [
    'LLAMA_ARG_NUMA',
    'choice',
    'none',
    'Placement on machines with several memory nodes.',
    { ...SINCE, choices: ['distribute', 'isolate', 'numactl'] },
  ],
  [
    'LLAMA_ARG_REPACK',
    'switch',
    'on',
    'Reorders weights for the CPU when loading: faster, and the file is not shared by mapping.',
    SINCE,
  ],
  ['LLAMA_ARG_CONT_BATCHING', 'switch', 'on', 'Serves requests of one model together.', SINCE],
  ['LLAMA_ARG_THREADS_HTTP', 'count', 'auto', 'Threads that read requests.', SINCE],
  [
    'LLAMA_ARG_ROPE_SCALING_TYPE',
    'choice',
    'of the model',
    'How a context is stretched beyond what the model was trained for.',
    { ...SINCE, choices: ['none', 'linear', 'yarn'] },
  ],
  ['LLAMA_ARG_ROPE_SCALE', 'text', 'of the model', 'By how much.', SINCE],
  ['LLAMA_ARG_ROPE_FREQ_BASE', 'text', 'of the model', 'Base of the rotary embedding.', SINCE],
  [
    'LLAMA_ARG_RPC',
    'list',
    'none',
    'Other machines that compute, as host:port. Everything goes to them unencrypted.',
    SINCE,
  ],
  ['LLAMA_ARG_LOG_FILE', 'text', 'none', 'A file for its log, which holds prompts at high verbosity.', SINCE],
  ...OVERRIDDEN.map(
    ([name, instead]) =>
      [
        name,
        'text',
        'given by Ollama',
        'Ollama gives this on the command line, which wins.',
        LESS_THAN(instead),
      ] as const,
  ),
]);

/** For finding faults. */
export const DEBUG_VARIABLES: readonly EnvironmentVariable[] = rowsOf('for debugging', [
  ['OLLAMA_DEBUG', 'text', '0', 'How much the server logs: 1 more, 2 everything, prompts included.'],
  [
    'OLLAMA_DEBUG_LOG_REQUESTS',
    'switch',
    'off',
    'Writes the body of every request into a temporary folder: prompts stay on the disk.',
    { since: '0.18.3' },
  ],
  [
    'OLLAMA_LLAMA_CPP_COMPAT',
    'choice',
    '1',
    '0 switches the adaptation of older model files off.',
    { since: '0.30.0', choices: ['0', '1'] },
  ],
  [
    'GGML_BACKEND_PATH',
    'text',
    'set by Ollama',
    'Library of the backend; Ollama sets it for what it starts.',
    { since: '0.30.0' },
  ],
  ['GGML_SCHED_DEBUG', 'count', '0', 'Logs which device computes what.'],
  ['GGML_NO_BACKTRACE', 'presence', 'off', 'No stack trace when a backend crashes.'],
]);
