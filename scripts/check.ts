/**
 * `npm run check`: format, lint, types, dead code and unit tests, side by side on the cores there
 * are. Prints each step's output only when it failed.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

type Step = { readonly name: string; readonly command: readonly string[]; readonly loud?: boolean };

const bin = (name: string): string => `node_modules/.bin/${name}`;

const STEPS: readonly Step[] = [
  {
    name: 'unit tests and import rules',
    command: [
      process.execPath,
      '--test',
      '--test-timeout=60000',
      // Many tests wait on sockets and clocks: more of them than cores run side by side.
      '--test-concurrency=4',
      'src/**/*.test.ts',
      'scripts/**/*.test.ts',
      'bench/**/*.test.ts',
      'test/architecture.test.ts',
    ],
    loud: true,
  },
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  { name: 'types of the page', command: [bin('tsc'), '-p', 'src/site/assets'] },
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'format', command: [bin('oxfmt'), '--check', '.'] },
  { name: 'dead code', command: [bin('knip')] },
  { name: 'lockfile', command: [process.execPath, 'scripts/lockfile.ts', '--check'] },
  { name: 'generated notes', command: [process.execPath, 'scripts/docs.ts', '--check'] },
];

/** Every test file is a process of its own; what it compiles is kept for the next one. */
const ENVIRONMENT = { ...process.env, NODE_COMPILE_CACHE: 'node_modules/.cache/compile' };

/** A step that hangs is a failed one: a test that leaves something open must not hold up everything. */
const STEP_MS = 300_000;

function run(step: Step): Promise<boolean> {
  const started = performance.now();
  const [command = '', ...args] = step.command;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      shell: process.platform === 'win32',
      timeout: STEP_MS,
      env: ENVIRONMENT,
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('close', (code) => {
      const text = Buffer.concat(output).toString();
      const passed = code === 0;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (!passed) process.stdout.write(`${text}\n`);
      else if (step.loud) process.stdout.write(`${text.split('\n').slice(-10).join('\n')}\n`);
      process.stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${step.name} (${seconds} s)\n`);
      resolve(passed);
    });
  });
}

const waiting = [...STEPS];
let failed = 0;
await Promise.all(
  Array.from({ length: Math.min(availableParallelism(), waiting.length) }, async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) if (!(await run(step))) failed += 1;
  }),
);
process.exitCode = failed === 0 ? 0 : 1;
