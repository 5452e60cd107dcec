import { rowsOf } from './environment-variable.ts';
import type { EnvironmentVariable } from './environment-variable.ts';

/** What earlier releases read: what it did, the first that does not read it, and what to use instead. */
const GONE = [
  [
    'OLLAMA_MULTIUSER_CACHE',
    'Chose among prompt caches of the engine that is gone.',
    '0.30.0',
    'LLAMA_ARG_CACHE_RAM, or nothing',
  ],
  [
    'OLLAMA_NEW_ENGINE',
    'Chose the engine that is gone.',
    '0.30.0',
    'nothing: every model runs in llama-server',
  ],
  ['OLLAMA_NEW_ESTIMATES', 'Chose an estimate of memory that became the only one.', '0.11.11', 'nothing'],
  [
    'OLLAMA_MAX_VRAM',
    'Limited video memory.',
    '0.7.0',
    'OLLAMA_GPU_OVERHEAD (bytes left free), or LLAMA_ARG_FIT_TARGET (MiB left free)',
  ],
  ['OLLAMA_INTEL_GPU', 'Looked for GPUs of Intel.', '0.12.11', 'OLLAMA_VULKAN'],
  ['OLLAMA_RUNNERS_DIR', 'Where runners were unpacked to.', '0.3.11', 'nothing: they lie beside the program'],
  ['OLLAMA_TMPDIR', 'Where runners were unpacked to.', '0.6.6', 'nothing: they lie beside the program'],
  ['OLLAMA_PORT', 'Port of the server.', '0.0.20', 'OLLAMA_HOST (host:port)'],
  ['OLLAMA_REGISTRY_MAXSTREAMS', 'Transfers at once.', '0.31.2', 'OLLAMA_MAX_TRANSFER_STREAMS'],
  ['OLLAMA_EXPERIMENT', 'Named experiments; the last, client2, is gone.', '0.30.0', 'nothing'],
] as const;

const UNREAD = 'Read by no release.';

/** Names that guides and other programs made popular, and that no release ever read, with what to use instead. */
const NEVER = [
  [
    'OLLAMA_NUM_GPU',
    UNREAD,
    'num_gpu of a profile, which counts layers, not GPUs; CUDA_VISIBLE_DEVICES chooses GPUs',
  ],
  ['OLLAMA_GPU_LAYERS', UNREAD, 'num_gpu of a profile'],
  [
    'OLLAMA_GPU_MEMORY_FRACTION',
    UNREAD,
    'OLLAMA_GPU_OVERHEAD (bytes left free), or LLAMA_ARG_FIT_TARGET (MiB left free)',
  ],
  ['OLLAMA_GPU_SPLIT', UNREAD, 'LLAMA_ARG_TENSOR_SPLIT'],
  ['OLLAMA_NUM_THREAD', UNREAD, 'num_thread of a profile'],
  ['OLLAMA_NUM_THREADS', UNREAD, 'num_thread of a profile'],
  ['OLLAMA_NUM_BATCH', UNREAD, 'num_batch of a profile'],
  ['OLLAMA_NUM_CTX', UNREAD, 'num_ctx of a profile, or OLLAMA_CONTEXT_LENGTH'],
  ['OLLAMA_MAX_CONTEXT', UNREAD, 'num_ctx of a profile, or OLLAMA_CONTEXT_LENGTH'],
  ['OLLAMA_LOW_VRAM', UNREAD, 'a smaller num_ctx, or OLLAMA_KV_CACHE_TYPE=q8_0'],
  ['OLLAMA_USE_MLOCK', UNREAD, 'LLAMA_ARG_LOAD_MODE=mlock'],
  ['OLLAMA_USE_MMAP', UNREAD, 'use_mmap of a profile'],
  ['OLLAMA_NUMA', UNREAD, 'LLAMA_ARG_NUMA'],
  ['OLLAMA_TIMEOUT', UNREAD, 'OLLAMA_LOAD_TIMEOUT for loads'],
  ['OLLAMA_REQUEST_TIMEOUT', UNREAD, 'OLLAMA_LOAD_TIMEOUT for loads'],
  ['OLLAMA_LOG_LEVEL', UNREAD, 'OLLAMA_DEBUG'],
  ['OLLAMA_METRICS', 'Proposed, never merged.', '/metrics of Obelisk'],
  ['OLLAMA_URL', 'Not Ollama’s: Obelisk finds Ollama by it.', 'OLLAMA_HOST for the server'],
  ['OLLAMA_BASE_URL', 'Not Ollama’s: other programs find Ollama by it.', 'OLLAMA_HOST for the server'],
  ['OLLAMA_API_BASE', 'Not Ollama’s: other programs find Ollama by it.', 'OLLAMA_HOST for the server'],
] as const;

/** Variables that do nothing, with what to use in their place. */
export const DEAD_VARIABLES: readonly EnvironmentVariable[] = [
  ...rowsOf(
    { group: 'gone' },
    GONE.map(([name, explains, until, instead]) => [name, 'none', '', explains, { until, instead }]),
  ),
  ...rowsOf(
    { group: 'never existed' },
    NEVER.map(([name, explains, instead]) => [name, 'none', '', explains, { instead }]),
  ),
];
