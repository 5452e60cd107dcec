/**
 * `npm run check`: format, lint, types, dead code and unit tests, side by side on the cores there
 * are. Prints each step's output only when it failed.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { TEST_OPTIONS } from './test-options.ts';

type Step = { readonly name: string; readonly command: readonly string[]; readonly tests?: boolean };

const bin = (name: string): string => `node_modules/.bin/${name}`;

/**
 * The unit tests of one area, in one process: most of what a test file costs is loading the modules
 * that its neighbours load too. `npm run test:unit` runs the same files each in a process of its own.
 */
function unitTests(area: string, ...files: readonly string[]): Step {
  return { name: `unit tests: ${area}`, command: [process.execPath, ...TEST_OPTIONS, ...files], tests: true };
}

/** Tests first: they wait on sockets and clocks, and the compilers fill the time when they are done. */
const STEPS: readonly Step[] = [
  unitTests('wire, shared, config', 'src/{wire,shared,config}/**/*.test.ts'),
  unitTests('ollama', 'src/ollama/**/*.test.ts'),
  unitTests('gateway', 'src/gateway/**/*.test.ts'),
  unitTests('rag, vault', 'src/{rag,vault}/**/*.test.ts'),
  unitTests(
    'everything else, import rules',
    'src/*.test.ts',
    'src/!(wire|shared|config|ollama|gateway|rag|vault)/**/*.test.ts',
    'scripts/**/*.test.ts',
    'bench/**/*.test.ts',
    'test/architecture.test.ts',
  ),
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'dead code', command: [bin('knip')] },
  { name: 'types of the page', command: [bin('tsc'), '-p', 'src/site/assets'] },
  { name: 'generated notes', command: [process.execPath, 'scripts/docs.ts', '--check'] },
  { name: 'format', command: [bin('oxfmt'), '--check', '.'] },
  { name: 'lockfile', command: [process.execPath, 'scripts/lockfile.ts', '--check'] },
];

/** What a process compiles is kept for the next one, and for the next run. */
const ENVIRONMENT = { ...process.env, NODE_COMPILE_CACHE: 'node_modules/.cache/compile' };

/** A step that hangs is a failed one: a test that leaves something open must not hold up everything. */
const STEP_MS = 300_000;

const STILL_OPEN =
  'These tests did not end: one of them left something open. `npm run test:unit` names its file.';

/** `317 tests, 0 skipped`, from the summary of a test run that passed. */
function counted(text: string): string {
  const counts = [...text.matchAll(/^\S+ (tests|skipped) (\d+)$/gm)];
  return counts.map(([, what, count]) => `${count} ${what}`).join(', ');
}

function run(step: Step): Promise<boolean> {
  const started = performance.now();
  const [command = '', ...args] = step.command;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      // The tools are command files there; node is a program, and a shell would read its patterns.
      shell: process.platform === 'win32' && command !== process.execPath,
      timeout: STEP_MS,
      env: ENVIRONMENT,
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('close', (code) => {
      const text = Buffer.concat(output).toString();
      // A test run that is ended from outside exits with 0 when no test had failed until then.
      const passed = code === 0 && !child.killed;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (!passed) process.stdout.write(`${text}\n`);
      if (child.killed && step.tests) process.stdout.write(`${STILL_OPEN}\n`);
      const tests = passed && step.tests ? `: ${counted(text)}` : '';
      process.stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${step.name}${tests} (${seconds} s)\n`);
      resolve(passed);
    });
  });
}

const waiting = [...STEPS];
let failed = 0;
await Promise.all(
  // Two a core: a test process waits as long as it works.
  Array.from({ length: Math.min(2 * availableParallelism(), waiting.length) }, async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) if (!(await run(step))) failed += 1;
  }),
);
process.exitCode = failed === 0 ? 0 : 1;
