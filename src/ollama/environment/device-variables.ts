import { rowsOf } from './environment-variable.ts';
import type { EnvironmentVariable } from './environment-variable.ts';

/** On a Mac Ollama uses Metal only. */
const NOT_APPLE: Pick<EnvironmentVariable, 'platforms'> = { platforms: ['linux', 'win32'] };

/** What the CUDA backend and the driver of NVIDIA read. */
const CUDA_VARIABLES = rowsOf({ group: 'NVIDIA (CUDA)', ...NOT_APPLE }, [
  [
    'CUDA_VISIBLE_DEVICES',
    'list',
    'all',
    'GPUs that may be used, by index or better by UUID (nvidia-smi -L): the order of the indexes may change. -1 means none: everything runs on the CPU.',
  ],
  [
    'CUDA_DEVICE_ORDER',
    'choice',
    'FASTEST_FIRST',
    'What the indexes of CUDA_VISIBLE_DEVICES count: PCI_BUS_ID is the order of nvidia-smi.',
    { choices: ['FASTEST_FIRST', 'PCI_BUS_ID'] },
  ],
  [
    'CUDA_SCALE_LAUNCH_QUEUES',
    'text',
    '1x',
    'Size of the command buffer of the driver; 4x helps prompts on several GPUs.',
  ],
  [
    'GGML_CUDA_ENABLE_UNIFIED_MEMORY',
    'presence',
    'off',
    'Lets a model that is larger than the video memory use main memory instead of failing, much slower. On AMD too.',
  ],
  ['GGML_CUDA_P2P', 'presence', 'off', 'GPUs copy to each other directly; some boards then crash.'],
  ['GGML_CUDA_NO_PINNED', 'presence', 'off', 'Uses no pinned main memory.'],
  ['GGML_CUDA_REGISTER_HOST', 'presence', 'off', 'Pins the memory that the model file is mapped to.'],
  ['GGML_CUDA_DISABLE_GRAPHS', 'presence', 'off', 'Switches CUDA graphs off, to find a fault.'],
  ['GGML_CUDA_DISABLE_FUSION', 'presence', 'off', 'Switches fused kernels off, to find a fault.'],
  ['GGML_CUDA_GRAPH_OPT', 'count', '0', '1 runs independent parts of a graph at once (experimental).'],
  [
    'GGML_CUDA_CUBLAS_COMPUTE_TYPE',
    'choice',
    'auto',
    'Type in which cuBLAS multiplies.',
    { since: '0.30.0', choices: ['auto', 'f16', 'fp16', 'bf16', 'f32', 'fp32'] },
  ],
  [
    'GGML_CUDA_MMQ_PREC',
    'choice',
    'auto',
    'Precision of activations in NVFP4 and MXFP4 models: q4 is faster with prompts, q8 more exact.',
    { since: '0.30.0', choices: ['auto', 'q8', 'q4'] },
  ],
  ['GGML_CUDA_INIT', 'presence', 'set by Ollama', 'Ollama sets it itself while it looks for GPUs.'],
  ['CUDA_ERROR_LEVEL', 'count', 'none', '50 makes the driver tell more about errors.'],
  [
    'JETSON_JETPACK',
    'choice',
    'read from the system',
    'Major version of JetPack on a Jetson; needed in a container.',
    { platforms: ['linux'], choices: ['5', '6'] },
  ],
]);

/** What the ROCm libraries read. */
const ROCM_VARIABLES = rowsOf({ group: 'AMD (ROCm)', ...NOT_APPLE }, [
  [
    'ROCR_VISIBLE_DEVICES',
    'list',
    'all',
    'GPUs that may be used, by index or UUID. Preferred over HIP_VISIBLE_DEVICES on Linux.',
  ],
  ['HIP_VISIBLE_DEVICES', 'list', 'all', 'GPUs that may be used, by index; the one for Windows.'],
  ['GPU_DEVICE_ORDINAL', 'list', 'all', 'The same once more, by index.'],
  [
    'HSA_OVERRIDE_GFX_VERSION',
    'text',
    'none',
    'Treats a GPU that ROCm does not know as one that it knows: x.y.z, as 10.3.0 for gfx1030. With _0, _1 at the end of the name for one GPU each.',
    { platforms: ['linux'] },
  ],
  ['AMD_LOG_LEVEL', 'count', '0', '3 makes the libraries tell what they do.'],
]);

/** What the Vulkan backend reads. */
const VULKAN_VARIABLES = rowsOf({ group: 'Vulkan', ...NOT_APPLE }, [
  [
    'OLLAMA_VULKAN',
    'switch',
    'on since 0.30, off before',
    'Looks for GPUs by Vulkan, where CUDA and ROCm find none.',
    { since: '0.12.11' },
  ],
  ['GGML_VK_VISIBLE_DEVICES', 'list', 'all', 'GPUs that may be used, by index. -1 means none.'],
  ['GGML_VK_PREFER_HOST_MEMORY', 'presence', 'off', 'Keeps buffers in main memory.'],
  ['GGML_VK_ALLOW_SYSMEM_FALLBACK', 'presence', 'off', 'Uses main memory where video memory is full.'],
  ['GGML_VK_ENABLE_MEMORY_PRIORITY', 'presence', 'off', 'Asks the driver to keep the model in video memory.'],
  ['GGML_VK_DISABLE_HOST_VISIBLE_VIDMEM', 'presence', 'off', 'Does not write to video memory directly.'],
  ['GGML_VK_SUBALLOCATION_BLOCK_SIZE', 'bytes', '1 GiB', 'Size of the blocks in which memory is taken.'],
  ['GGML_VK_FORCE_MAX_BUFFER_SIZE', 'bytes', 'of the device', 'Largest buffer.'],
  ['GGML_VK_FORCE_MAX_ALLOCATION_SIZE', 'bytes', 'of the device', 'Largest allocation.'],
  ...(
    [
      ['GGML_VK_DISABLE_F16', 'half precision'],
      ['GGML_VK_DISABLE_BFLOAT16', 'bfloat16'],
      ['GGML_VK_DISABLE_COOPMAT', 'cooperative matrices'],
      ['GGML_VK_DISABLE_COOPMAT2', 'NVIDIA’s cooperative matrices'],
      ['GGML_VK_DISABLE_INTEGER_DOT_PRODUCT', 'integer dot products'],
      ['GGML_VK_DISABLE_MMVQ', 'quantized matrix-vector kernels'],
      ['GGML_VK_DISABLE_FUSION', 'fused kernels'],
      ['GGML_VK_DISABLE_MULTI_ADD', 'fused additions'],
      ['GGML_VK_DISABLE_GRAPH_OPTIMIZE', 'reordering of the graph'],
      ['GGML_VK_DISABLE_ASYNC', 'asynchronous copies'],
    ] as const
  ).map(
    ([name, what]) =>
      [name, 'presence', 'off', `Switches ${what} off, where a driver does it wrong.`] as const,
  ),
  ['GGML_VK_FORCE_MMVQ', 'presence', 'off', 'Always uses quantized matrix-vector kernels.'],
  ['GGML_VK_PERF_LOGGER', 'presence', 'off', 'Logs how long each operation takes.'],
  ['GGML_VK_PERF_LOGGER_FREQUENCY', 'count', '1', 'Logs it for every n-th graph.'],
  ['GGML_VK_DEBUG_MARKERS', 'presence', 'off', 'Names operations for a profiler.'],
]);

/** What the Metal backend reads. */
const METAL_VARIABLES = rowsOf({ group: 'Metal', platforms: ['darwin'] }, [
  [
    'GGML_METAL_TENSOR_DISABLE',
    'presence',
    'off',
    'Switches tensor units off; Ollama does so itself after a failure.',
  ],
  [
    'GGML_METAL_TENSOR_ENABLE',
    'presence',
    'by the chip',
    'Uses tensor units on chips where that is not the default.',
  ],
  ['GGML_METAL_BF16_DISABLE', 'presence', 'off', 'Switches bfloat16 off.'],
  ['GGML_METAL_FUSION_DISABLE', 'presence', 'off', 'Switches fused kernels off.'],
  ['GGML_METAL_CONCURRENCY_DISABLE', 'presence', 'off', 'Runs one kernel after the other.'],
  ['GGML_METAL_GRAPH_OPTIMIZE_DISABLE', 'presence', 'off', 'Does not reorder the graph.'],
  [
    'GGML_METAL_NO_RESIDENCY',
    'presence',
    'off',
    'Lets macOS take memory of the model away between requests.',
  ],
  ['GGML_METAL_RESIDENCY_KEEP_ALIVE_S', 'count', '180', 'Seconds for which that memory is held.'],
  ['GGML_METAL_SHARED_BUFFERS_DISABLE', 'presence', 'by the chip', 'Uses private buffers.'],
  ['GGML_METAL_SHARED_BUFFERS_ENABLE', 'presence', 'by the chip', 'Uses shared buffers.'],
  ['GGML_METAL_GRAPH_DEBUG', 'count', '0', 'Logs the graph.'],
  ['GGML_METAL_FUSION_DEBUG', 'count', '0', 'Logs fused kernels.'],
]);

/** Of the libraries for each kind of GPU. */
export const DEVICE_VARIABLES: readonly EnvironmentVariable[] = [
  ...CUDA_VARIABLES,
  ...ROCM_VARIABLES,
  ...VULKAN_VARIABLES,
  ...METAL_VARIABLES,
];
