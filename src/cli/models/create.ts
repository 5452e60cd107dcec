import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { CreateSource } from '../../ollama/control-plane.ts';
import { decodeModelfile } from '../../ollama/create/modelfile.ts';
import { ObeliskError, systemCodeOf } from '../../shared/errors.ts';
import { usageError } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { JOB_NOTES, JOB_OPTIONS, placeOf, runJobs } from './job-command.ts';

/** `obelisk models create`: makes a model. */
export const createCommand: Command = {
  spec: {
    name: 'models create',
    summary: 'Make a model from a Modelfile, a GGUF file, a folder of safetensors or another model',
    positionals: 'MODEL',
    options: {
      ...JOB_OPTIONS,
      file: { short: 'f', value: 'FILE', description: 'Modelfile; - is standard input' },
      from: { value: 'MODEL|PATH', description: 'Installed model, GGUF file, or folder of safetensors' },
      adapter: { value: 'PATH', multiple: true, description: 'LoRA adapter' },
      quantize: { short: 'q', value: 'TYPE', description: 'q8_0, q4_K_M…' },
      template: { value: 'TEXT', description: 'Template of the prompt' },
      system: { value: 'TEXT', description: 'System message' },
      license: { value: 'FILE', multiple: true, description: 'Text of a licence' },
      parameter: { short: 'p', value: 'NAME=VALUE', multiple: true, description: 'Option of the model' },
    },
    notes: [
      ...JOB_NOTES,
      'Without --file and --from, the file "Modelfile" of the working folder is read.',
      'What is given here wins over the Modelfile. Relative paths in it start at its folder.',
    ],
    examples: [
      'obelisk models create notes -f Modelfile',
      'obelisk models create mine --from ./model.gguf --quantize q4_K_M',
      'obelisk models create brief --from llama3.2 --system "Answer in one sentence." -p temperature=0.2',
    ],
  },
  async run(context) {
    const [model, ...more] = context.arguments.positionals;
    if (model === undefined || more.length > 0) {
      return usageError(context, 'models create', 'write the name of one model');
    }
    const source = await readSource(context);
    if (typeof source === 'string') return usageError(context, 'models create', source);
    return runJobs(context, [{ kind: 'create', model, source, ...placeOf(context) }]);
  },
};

/** What the model is made of, or one sentence that says what is wrong with what was typed. */
async function readSource(context: CommandContext): Promise<CreateSource | string> {
  const { arguments: given } = context;
  const parameters = parseParameters(given.texts('parameter'));
  if (typeof parameters === 'string') return parameters;
  const base = await readBase(context);
  if (typeof base === 'string') return base;
  const text = (name: 'quantize' | 'template' | 'system'): object => {
    const value = given.text(name);
    return value === undefined ? {} : { [name]: value };
  };
  const adapters = given.texts('adapter').map((file) => path.resolve(context.terminal.cwd, file));
  const license = given.texts('license').map((file) => readText(context, file));
  return {
    ...base,
    ...text('quantize'),
    ...text('template'),
    ...text('system'),
    ...(adapters.length === 0 ? {} : { adapters }),
    ...(license.length === 0 ? {} : { license }),
    ...(parameters === undefined ? {} : { parameters }),
  };
}

async function readBase(context: CommandContext): Promise<CreateSource | string> {
  const { arguments: given, terminal } = context;
  const from = given.text('from');
  const named = given.text('file');
  const fromFields = from === undefined ? {} : { from: toFrom(from, terminal.cwd) };
  if (named === '-') return { modelfile: await terminal.readInput(), directory: terminal.cwd, ...fromFields };
  const file = path.resolve(terminal.cwd, named ?? 'Modelfile');
  if (named === undefined && from !== undefined) return fromFields;
  if (named === undefined && !existsAt(file)) return 'write --file FILE or --from MODEL|PATH';
  return {
    modelfile: decodeModelfile(readBytes(context, file)),
    directory: path.dirname(file),
    ...fromFields,
  };
}

/** What is there as a file or folder is meant as such; a name that looks like a path must be there. */
function toFrom(from: string, cwd: string): string {
  const file = path.resolve(cwd, from);
  const looksLikePath = /^(?:\.{1,2}[\\/]|[\\/]|[A-Za-z]:[\\/])|\.(?:gguf|safetensors)$/i.test(from);
  if (existsAt(file)) return file;
  if (looksLikePath) throw new ObeliskError('not_found', `there is no ${file}; check the path of --from`);
  return from;
}

function existsAt(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

function readText(context: CommandContext, file: string): string {
  return readBytes(context, file).toString('utf8');
}

function readBytes({ terminal }: CommandContext, file: string): Buffer {
  const found = path.resolve(terminal.cwd, file);
  try {
    return readFileSync(found);
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    throw new ObeliskError('not_found', `${found} cannot be read (${systemCodeOf(error) ?? ''})`, {
      cause: error,
    });
  }
}

/** Values are JSON where they can be (`0.2`, `true`, `["a","b"]`), else text; a name given twice is a list. */
function parseParameters(given: readonly string[]): Readonly<Record<string, unknown>> | string | undefined {
  if (given.length === 0) return undefined;
  const values = new Map<string, unknown[]>();
  for (const one of given) {
    const at = one.indexOf('=');
    if (at < 1) return `--parameter needs NAME=VALUE, and got "${one}"`;
    const name = one.slice(0, at);
    values.set(name, [...(values.get(name) ?? []), valueOf(one.slice(at + 1))]);
  }
  return Object.fromEntries([...values].map(([name, all]) => [name, all.length === 1 ? all[0] : all]));
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
