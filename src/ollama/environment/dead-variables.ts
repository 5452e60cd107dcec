import { rowsOf } from './environment-variable.ts';
import type { EnvironmentVariable } from './environment-variable.ts';

/** What earlier releases read. `until` is the first that does not. */
const GONE = rowsOf({ group: 'gone' }, [
  [
    'OLLAMA_MULTIUSER_CACHE',
    'none',
    '',
    'Chose among prompt caches of the engine that is gone.',
    { until: '0.30.0', instead: 'LLAMA_ARG_CACHE_RAM, or nothing' },
  ],
  [
    'OLLAMA_NEW_ENGINE',
    'none',
    '',
    'Chose the engine that is gone.',
    { until: '0.30.0', instead: 'nothing: every model runs in llama-server' },
  ],
  [
    'OLLAMA_NEW_ESTIMATES',
    'none',
    '',
    'Chose an estimate of memory that became the only one.',
    { until: '0.11.11', instead: 'nothing' },
  ],
  [
    'OLLAMA_MAX_VRAM',
    'none',
    '',
    'Limited video memory.',
    {
      until: '0.7.0',
      instead: 'OLLAMA_GPU_OVERHEAD (bytes left free), or LLAMA_ARG_FIT_TARGET (MiB left free)',
    },
  ],
  [
    'OLLAMA_INTEL_GPU',
    'none',
    '',
    'Looked for GPUs of Intel.',
    { until: '0.12.11', instead: 'OLLAMA_VULKAN' },
  ],
  [
    'OLLAMA_RUNNERS_DIR',
    'none',
    '',
    'Where runners were unpacked to.',
    { until: '0.3.11', instead: 'nothing: they lie beside the program' },
  ],
  [
    'OLLAMA_TMPDIR',
    'none',
    '',
    'Where runners were unpacked to.',
    { until: '0.6.6', instead: 'nothing: they lie beside the program' },
  ],
  ['OLLAMA_PORT', 'none', '', 'Port of the server.', { until: '0.0.20', instead: 'OLLAMA_HOST (host:port)' }],
  [
    'OLLAMA_REGISTRY_MAXSTREAMS',
    'none',
    '',
    'Transfers at once.',
    { until: '0.31.2', instead: 'OLLAMA_MAX_TRANSFER_STREAMS' },
  ],
  [
    'OLLAMA_EXPERIMENT',
    'none',
    '',
    'Named experiments; the last, client2, is gone.',
    { until: '0.30.0', instead: 'nothing' },
  ],
]);

/** Names that guides and other programs made popular, and that no release ever read. */
const NEVER = rowsOf({ group: 'never existed' }, [
  [
    'OLLAMA_NUM_GPU',
    'none',
    '',
    'Read by no release.',
    { instead: 'num_gpu of a profile, which counts layers, not GPUs; CUDA_VISIBLE_DEVICES chooses GPUs' },
  ],
  ['OLLAMA_GPU_LAYERS', 'none', '', 'Read by no release.', { instead: 'num_gpu of a profile' }],
  [
    'OLLAMA_GPU_MEMORY_FRACTION',
    'none',
    '',
    'Read by no release.',
    { instead: 'OLLAMA_GPU_OVERHEAD (bytes left free), or LLAMA_ARG_FIT_TARGET (MiB left free)' },
  ],
  ['OLLAMA_GPU_SPLIT', 'none', '', 'Read by no release.', { instead: 'LLAMA_ARG_TENSOR_SPLIT' }],
  ['OLLAMA_NUM_THREAD', 'none', '', 'Read by no release.', { instead: 'num_thread of a profile' }],
  ['OLLAMA_NUM_THREADS', 'none', '', 'Read by no release.', { instead: 'num_thread of a profile' }],
  ['OLLAMA_NUM_BATCH', 'none', '', 'Read by no release.', { instead: 'num_batch of a profile' }],
  [
    'OLLAMA_NUM_CTX',
    'none',
    '',
    'Read by no release.',
    { instead: 'num_ctx of a profile, or OLLAMA_CONTEXT_LENGTH' },
  ],
  [
    'OLLAMA_MAX_CONTEXT',
    'none',
    '',
    'Read by no release.',
    { instead: 'num_ctx of a profile, or OLLAMA_CONTEXT_LENGTH' },
  ],
  [
    'OLLAMA_LOW_VRAM',
    'none',
    '',
    'Read by no release.',
    { instead: 'a smaller num_ctx, or OLLAMA_KV_CACHE_TYPE=q8_0' },
  ],
  ['OLLAMA_USE_MLOCK', 'none', '', 'Read by no release.', { instead: 'LLAMA_ARG_LOAD_MODE=mlock' }],
  ['OLLAMA_USE_MMAP', 'none', '', 'Read by no release.', { instead: 'use_mmap of a profile' }],
  ['OLLAMA_NUMA', 'none', '', 'Read by no release.', { instead: 'LLAMA_ARG_NUMA' }],
  ['OLLAMA_TIMEOUT', 'none', '', 'Read by no release.', { instead: 'OLLAMA_LOAD_TIMEOUT for loads' }],
  ['OLLAMA_REQUEST_TIMEOUT', 'none', '', 'Read by no release.', { instead: 'OLLAMA_LOAD_TIMEOUT for loads' }],
  ['OLLAMA_LOG_LEVEL', 'none', '', 'Read by no release.', { instead: 'OLLAMA_DEBUG' }],
  ['OLLAMA_METRICS', 'none', '', 'Proposed, never merged.', { instead: '/metrics of Obelisk' }],
  [
    'OLLAMA_URL',
    'none',
    '',
    'Not Ollama’s: Obelisk finds Ollama by it.',
    { instead: 'OLLAMA_HOST for the server' },
  ],
  [
    'OLLAMA_BASE_URL',
    'none',
    '',
    'Not Ollama’s: other programs find Ollama by it.',
    { instead: 'OLLAMA_HOST for the server' },
  ],
  [
    'OLLAMA_API_BASE',
    'none',
    '',
    'Not Ollama’s: other programs find Ollama by it.',
    { instead: 'OLLAMA_HOST for the server' },
  ],
]);

/** Variables that do nothing, with what to use in their place. */
export const DEAD_VARIABLES: readonly EnvironmentVariable[] = [...GONE, ...NEVER];
