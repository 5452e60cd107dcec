import type { Environment } from './substitute.ts';

/** Values given on the command line, or to the library: they win over everything else. */
export type ConfigFlags = {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Folders, or folders with a name; they replace the file's `vaults`. */
  readonly vaults?: readonly (string | { readonly name: string; readonly path: string })[] | undefined;
  readonly dataDir?: string | undefined;
};

/** Everything that decides a configuration, besides the file's own text. */
export type ConfigInputs = {
  /** The file to read; without it `obelisk.yaml` in `cwd`, if there is one. */
  readonly file?: string | undefined;
  readonly flags: ConfigFlags;
  readonly environment: Environment;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly homeDir: string;
};
