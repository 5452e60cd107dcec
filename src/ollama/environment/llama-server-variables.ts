import { rowsOf } from './environment-variable.ts';
import type { EnvironmentVariable } from './environment-variable.ts';

/** Release since which models run in a llama-server process that inherits the environment. */
export const LLAMA_SERVER_SINCE = '0.30.0';

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
export const LLAMA_SERVER_VARIABLES: readonly EnvironmentVariable[] = rowsOf(
  { group: 'llama-server', since: LLAMA_SERVER_SINCE },
  [
    [
      'LLAMA_ARG_FIT',
      'choice',
      'on',
      'Fits what is not set (layers on the GPU, context) to the memory that is free.',
      { choices: ['on', 'off'] },
    ],
    [
      'LLAMA_ARG_FIT_TARGET',
      'list',
      '1024',
      'MiB that fitting leaves free on each device, one number or one for each, separated by commas.',
    ],
    ['LLAMA_ARG_FIT_CTX', 'count', '4096', 'Smallest context that fitting may choose.'],
    ['LLAMA_ARG_TENSOR_SPLIT', 'list', 'by free memory', 'Share of the model that each GPU gets, as 3,1.'],
    [
      'LLAMA_ARG_SPLIT_MODE',
      'choice',
      'layer',
      'How a model is split over GPUs. main_gpu of a profile sets none.',
      { choices: ['none', 'layer', 'row', 'tensor'] },
    ],
    ['LLAMA_ARG_MAIN_GPU', 'count', '0', 'GPU of a model that is not split. main_gpu of a profile wins.'],
    ['LLAMA_ARG_DEVICE', 'list', 'all', 'Devices that are used.'],
    ['LLAMA_ARG_N_GPU_LAYERS', 'text', 'auto', 'Layers in video memory. num_gpu of a profile wins.'],
    ['LLAMA_ARG_THREADS', 'count', 'the physical cores', 'Threads that write. num_thread of a profile wins.'],
    [
      'LLAMA_ARG_BATCH',
      'count',
      '2048',
      'Tokens of a prompt that are taken at once. num_batch of a profile wins.',
    ],
    [
      'LLAMA_ARG_UBATCH',
      'count',
      '512',
      'Tokens of a prompt that are computed at once. num_batch of a profile wins.',
    ],
    ['LLAMA_ARG_CACHE_TYPE_K', 'text', 'f16', 'Type of the keys in the cache. OLLAMA_KV_CACHE_TYPE wins.'],
    ['LLAMA_ARG_CACHE_TYPE_V', 'text', 'f16', 'Type of the values in the cache. OLLAMA_KV_CACHE_TYPE wins.'],
    [
      'LLAMA_ARG_CACHE_RAM',
      'count',
      '8192',
      'MiB of main memory for prompts that were read before; 0 keeps none.',
    ],
    [
      'LLAMA_ARG_CACHE_REUSE',
      'count',
      '0',
      'Least tokens in a row that are taken over from an earlier prompt; 0 only its beginning.',
    ],
    ['LLAMA_ARG_KV_OFFLOAD', 'switch', 'on', 'Keeps the cache in video memory.'],
    ['LLAMA_ARG_KV_UNIFIED', 'switch', 'by the number of slots', 'One cache for all requests at once.'],
    [
      'LLAMA_ARG_SWA_FULL',
      'switch',
      'off',
      'Keeps the whole context of models with a sliding window: more memory, earlier prompts can be used again.',
    ],
    ['LLAMA_ARG_CTX_CHECKPOINTS', 'count', '32', 'States of such a model that are kept to go back to.'],
    [
      'LLAMA_ARG_CPU_MOE',
      'switch',
      'off',
      'Keeps the experts of a mixture in main memory, so that a large one fits a small GPU.',
    ],
    ['LLAMA_ARG_N_CPU_MOE', 'count', '0', 'The same for the first layers only.'],
    ['LLAMA_ARG_OVERRIDE_TENSOR', 'list', 'none', 'Where single tensors go: pattern=buffer type.'],
    [
      'LLAMA_ARG_LOAD_MODE',
      'choice',
      'auto',
      'How the file is read; mlock keeps it in memory. use_mmap: false of a profile wins.',
      { choices: ['auto', 'none', 'mmap', 'mlock', 'mmap+mlock', 'dio'] },
    ],
    [
      'LLAMA_ARG_NUMA',
      'choice',
      'none',
      'Placement on machines with several memory nodes.',
      { choices: ['distribute', 'isolate', 'numactl'] },
    ],
    [
      'LLAMA_ARG_REPACK',
      'switch',
      'on',
      'Reorders weights for the CPU when loading: faster, and the file is not shared by mapping.',
    ],
    ['LLAMA_ARG_CONT_BATCHING', 'switch', 'on', 'Serves requests of one model together.'],
    ['LLAMA_ARG_THREADS_HTTP', 'count', 'auto', 'Threads that read requests.'],
    [
      'LLAMA_ARG_ROPE_SCALING_TYPE',
      'choice',
      'of the model',
      'How a context is stretched beyond what the model was trained for.',
      { choices: ['none', 'linear', 'yarn'] },
    ],
    ['LLAMA_ARG_ROPE_SCALE', 'text', 'of the model', 'By how much.'],
    ['LLAMA_ARG_ROPE_FREQ_BASE', 'text', 'of the model', 'Base of the rotary embedding.'],
    [
      'LLAMA_ARG_RPC',
      'list',
      'none',
      'Other machines that compute, as host:port. Everything goes to them unencrypted.',
    ],
    ['LLAMA_ARG_LOG_FILE', 'text', 'none', 'A file for its log, which holds prompts at high verbosity.'],
    ...OVERRIDDEN.map(
      ([name, instead]) =>
        [
          name,
          'text',
          'given by Ollama',
          'Given by Ollama on the command line, which wins.',
          { overridden: true, instead },
        ] as const,
    ),
  ],
);

/** For finding faults. */
export const DEBUG_VARIABLES: readonly EnvironmentVariable[] = rowsOf({ group: 'for debugging' }, [
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
