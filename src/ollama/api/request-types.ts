/** Body of `POST /api/show`. */
export type OllamaShowBody = {
  readonly model: string;
  /** Long lists (the words of the tokenizer) too: tens of megabytes for a large vocabulary. */
  readonly verbose?: boolean;
};

/** Body of `POST /api/pull` and `POST /api/push`. */
export type OllamaTransferBody = {
  readonly model: string;
  /** Lets a registry be spoken to without TLS, or with a certificate that nobody vouches for. */
  readonly insecure?: boolean;
};

/** Body of `POST /api/create`; one of `from` and `files` at least. */
export type OllamaCreateBody = {
  readonly model: string;
  /** Name of an installed model; one that is missing is pulled first. */
  readonly from?: string;
  /** Digests of uploaded blobs by relative path, with `/`. */
  readonly files?: Readonly<Record<string, string>>;
  readonly adapters?: Readonly<Record<string, string>>;
  /** A small model that drafts ahead; before 0.30 Ollama ignores it. */
  readonly draft_files?: Readonly<Record<string, string>>;
  /** `q8_0`, `q4_K_M`, `q4_K_S`, `f16`, `bf16` or `f32`. */
  readonly quantize?: string;
  /** A template in Go's language. */
  readonly template?: string;
  readonly system?: string;
  readonly license?: readonly string[];
  /** Not looked at by Ollama: a wrong one fails only where the model is used. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly messages?: readonly { readonly role: string; readonly content: string }[];
  readonly renderer?: string;
  readonly parser?: string;
  /** Least version of Ollama that can run it, `0.14.0`. */
  readonly requires?: string;
};

/** Body of `POST /api/generate`. Without a prompt it only loads the model. */
export type OllamaGenerateBody = {
  readonly model: string;
  readonly prompt?: string;
  readonly suffix?: string;
  readonly system?: string;
  readonly template?: string;
  readonly raw?: boolean;
  /** The numbers that came with the text before. */
  readonly context?: readonly number[];
  readonly images?: readonly string[];
  /** `json` or a JSON Schema. */
  readonly format?: unknown;
  readonly think?: boolean | string;
  readonly truncate?: boolean;
  readonly shift?: boolean;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Seconds, or a duration with its unit. */
  readonly keep_alive?: number | string;
};

/** What a model is loaded with. */
export type OllamaLoadBody = Pick<OllamaGenerateBody, 'model' | 'options' | 'keep_alive'>;

/** Bytes to upload. */
export type OllamaUpload = {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** Length in bytes, where it is known. */
  readonly bytes: number | undefined;
  /** Opens the bytes; once per upload. */
  open(): AsyncIterable<Uint8Array>;
};

/** Bytes to upload that lie ready. */
export type OllamaBlob = OllamaUpload & { readonly bytes: number };
