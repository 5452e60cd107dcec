import { rowsOf } from './environment-variable.ts';
import type { EnvironmentVariable } from './environment-variable.ts';

/** What `ollama serve` reads for itself (its envconfig), as of 0.32. Read at start only. */
export const SERVER_VARIABLES: readonly EnvironmentVariable[] = rowsOf({ group: 'server' }, [
  [
    'OLLAMA_HOST',
    'text',
    '127.0.0.1:11434',
    'Address that the server listens on, and that its command line asks. With 0.0.0.0 everyone on the network can use, delete and replace its models: Ollama has no keys.',
  ],
  [
    'OLLAMA_ORIGINS',
    'list',
    'localhost, app://, file://, tauri://, vscode-*://',
    'Web pages that may call the server, besides these, separated by commas. * lets every page that you open call it.',
  ],
  ['OLLAMA_MODELS', 'text', '~/.ollama/models', 'Folder of the models.'],
  [
    'OLLAMA_NOPRUNE',
    'switch',
    'off',
    'Keeps blobs that no model uses, half-finished downloads among them, when the server starts. On, a download goes on where a restart ended it.',
  ],
  [
    'OLLAMA_MAX_QUEUE',
    'count',
    '512',
    'Requests that may wait for a model to be loaded before others get 503. Requests for a model that is loaded already are not counted and wait without limit.',
  ],
  [
    'OLLAMA_LOAD_TIMEOUT',
    'duration',
    '5m',
    'How long a load may stand still before it is given up; 0 or less waits for ever.',
    { since: '0.3.10' },
  ],
  [
    'OLLAMA_NO_CLOUD',
    'switch',
    'off',
    'Switches off models of the cloud, web search and what is fetched in the background. So does disable_ollama_cloud in ~/.ollama/server.json.',
    { since: '0.16.2' },
  ],
  ['OLLAMA_REMOTES', 'list', 'ollama.com', 'Hosts that a model may be forwarded to.', { since: '0.12.0' }],
  [
    'OLLAMA_CLOUD_BASE_URL',
    'text',
    'https://ollama.com:443',
    'Where requests for models of the cloud are sent.',
    { since: '0.18.0' },
  ],
  [
    'OLLAMA_MAX_TRANSFER_STREAMS',
    'count',
    '4',
    'Transfers at once while a safetensors model is pulled or pushed; GGUF models are not affected.',
    { since: '0.23.3' },
  ],
  [
    'OLLAMA_GO_TEMPLATE',
    'switch',
    'on',
    'Renders prompts by the TEMPLATE of a Modelfile where it has one; off, by the template in the GGUF.',
    { since: '0.30.0' },
  ],
]);

/** What decides on memory and speed; what Obelisk sends with each request wins over some of it. */
export const MEMORY_VARIABLES: readonly EnvironmentVariable[] = rowsOf({ group: 'memory and speed' }, [
  [
    'OLLAMA_KEEP_ALIVE',
    'duration',
    '5m',
    'How long a model stays loaded after its last request; negative: for ever, 0: not at all. keep_alive of a request or of a profile wins.',
  ],
  [
    'OLLAMA_NUM_PARALLEL',
    'count',
    '1',
    'Requests that a model serves at once. Each has its own context: memory for the cache is num_ctx times this. Always 1 for embedding models and some architectures. Tell Obelisk the same number: parallel: of the host.',
  ],
  [
    'OLLAMA_MAX_LOADED_MODELS',
    'count',
    '0: three for each GPU, or three on the CPU',
    'Models that stay loaded at once where memory allows.',
  ],
  [
    'OLLAMA_CONTEXT_LENGTH',
    'count',
    '0: by video memory, 4,096 below 23 GiB, 32,768 below 47 GiB, else 262,144',
    'Context window of requests that name none. Obelisk names num_ctx in every request, so this does nothing for what comes through it.',
    { since: '0.5.13' },
  ],
  [
    'OLLAMA_FLASH_ATTENTION',
    'switch',
    'auto: where the device supports it',
    'Forces flash attention on or off. It needs less memory with long contexts and is usually faster on a GPU.',
  ],
  [
    'OLLAMA_KV_CACHE_TYPE',
    'choice',
    'f16',
    'Type of the key-value cache: q8_0 takes half the memory of f16, q4_0 a quarter, at some price in quality. Quantized types need flash attention.',
    {
      since: '0.5.0',
      choices: ['f32', 'f16', 'bf16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0', 'iq4_nl'],
    },
  ],
  [
    'OLLAMA_GPU_OVERHEAD',
    'bytes',
    '0',
    'Bytes of each GPU that Ollama leaves alone when it decides where a model goes.',
    { since: '0.3.10' },
  ],
  [
    'OLLAMA_SCHED_SPREAD',
    'switch',
    'off',
    'Spreads every model over all GPUs, also one that fits on a single one (which is faster).',
  ],
  [
    'OLLAMA_LLM_LIBRARY',
    'text',
    'found by itself',
    'Name of the only backend library that is used: cpu, cuda_v12, cuda_v13, rocm, vulkan, as the folders beside the program are called.',
  ],
  [
    'OLLAMA_IGPU_ENABLE',
    'switch',
    'auto: by the kind of GPU',
    'Lets integrated GPUs be used, or forbids it.',
    { since: '0.30.0' },
  ],
  [
    'OLLAMA_LIBRARY_PATH',
    'list',
    'beside the program',
    'Folders of backend libraries; set by Ollama itself for what it starts.',
    { since: '0.6.7' },
  ],
]);

/** Of the command line of Ollama or of its client libraries: the server does not read them. */
export const CLIENT_VARIABLES: readonly EnvironmentVariable[] = rowsOf({ group: 'client only' }, [
  [
    'OLLAMA_AUTH',
    'switch',
    'off',
    'The command line signs its requests with its own key. The server does not check it: this is no protection.',
    { since: '0.8.0' },
  ],
  [
    'OLLAMA_API_KEY',
    'text',
    'none',
    'Key that client libraries send to ollama.com. The server does not check it: this is no protection.',
    { secret: true, instead: 'general_settings.master_key of Obelisk, with Ollama on 127.0.0.1' },
  ],
  ['OLLAMA_EDITOR', 'text', 'VISUAL, EDITOR', 'Editor of the interactive prompt.', { since: '0.16.0' }],
  ['OLLAMA_NOHISTORY', 'switch', 'off', 'The interactive prompt keeps no history.'],
  [
    'OLLAMA_AGENT_DISABLE_SHELL',
    'switch',
    'off',
    'The agent of the command line may not run a shell.',
    { since: '0.32.0' },
  ],
  [
    'OLLAMA_AGENT_DISABLE_WEBSEARCH',
    'switch',
    'off',
    'The agent of the command line may not search the web.',
    { since: '0.32.0' },
  ],
  [
    'OLLAMA_SKILLS',
    'text',
    'its own folder',
    'Folder of skills of the agent of the command line.',
    { since: '0.32.2' },
  ],
]);

/** What Go's HTTP client in Ollama reads. */
export const NETWORK_VARIABLES: readonly EnvironmentVariable[] = rowsOf({ group: 'network' }, [
  ['HTTPS_PROXY', 'text', 'none', 'Proxy for pulls and pushes.', { secret: true }],
  [
    'HTTP_PROXY',
    'text',
    'none',
    'Proxy for plain HTTP. Ollama pulls over HTTPS only, and with this its own command line may not reach the server.',
    { secret: true },
  ],
  ['NO_PROXY', 'list', 'none', 'Hosts that are reached without a proxy.'],
]);
