/** One thing to know about the environment of an Ollama server. */
export type EnvironmentFinding = {
  /** `warn`: it does not do what it was set for, or it endangers something. */
  readonly level: 'warn' | 'note';
  readonly variable: string;
  /** One sentence, without the name of the variable at its beginning. */
  readonly message: string;
  readonly remedy?: string;
};

/** An environment, and what is known of the server that has it. */
export type EnvironmentLook = {
  /** Only relevant variables. */
  readonly values: ReadonlyMap<string, string>;
  /** As `/api/version` tells it. */
  readonly version?: string;
  readonly platform: NodeJS.Platform;
  /** What Obelisk believes OLLAMA_NUM_PARALLEL to be. */
  readonly parallel?: number;
  /** Whether nobody has configured that, so that it is found out. */
  readonly findsOutParallel?: boolean;
  /** In a container every address is that of the container: what is published decides. */
  readonly isInContainer?: boolean;
};
