import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { OLLAMA_OPTIONS } from '../../providers/ollama/options.ts';
import { RUNNER_OPTIONS } from '../../shared/ollama-options.ts';

import { applyProfile, runnerProfile } from './profile.ts';
import { patchedValues } from './patch.ts';
import { changedOptions, runnerOptionsOf } from '../queue/runner-options.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';

const RUNNER_NAMES = Object.keys(RUNNER_OPTIONS);

const runnerValue = (name: string): fc.Arbitrary<number | boolean> => {
  const rule = RUNNER_OPTIONS[name];
  return rule?.kind === 'boolean' ? fc.boolean() : fc.integer({ min: rule?.minimum ?? 0, max: 300_000 });
};

/** Runner options, some of them. */
const runnerOptions: fc.Arbitrary<RunnerOptions> = fc
  .subarray(RUNNER_NAMES)
  .chain((names) =>
    fc.tuple(...names.map((name) => runnerValue(name).map((value) => [name, value] as const))),
  )
  .map((entries) => Object.fromEntries(entries));

/** What a request may hold: right runner options, sampling, and names that nobody knows. */
const request = fc
  .tuple(
    runnerOptions,
    fc.record(
      { temperature: fc.double({ min: 0, max: 2, noNaN: true }), seed: fc.integer(), stop: fc.string() },
      { requiredKeys: [] },
    ),
    fc.dictionary(fc.string({ maxLength: 12 }), fc.anything({ maxDepth: 1 }), { maxKeys: 3 }),
  )
  .map(([runner, sampling, more]) => {
    const unknown = Object.entries(more).filter(([name]) => !OLLAMA_OPTIONS.has(name));
    return { ...Object.fromEntries(unknown), ...runner, ...sampling };
  });

const trainedContext = fc.option(fc.integer({ min: 4, max: 300_000 }), { nil: undefined });

test('whatever two clients ask for, the model is loaded with the same for both', () => {
  fc.assert(
    fc.property(runnerOptions, trainedContext, fc.tuple(request, request), (options, trained, requests) => {
      const profile = runnerProfile({
        model: trained === undefined ? {} : { contextLength: trained },
        layers: [{ source: 'configured', values: { options } }],
      });
      const [first, second] = requests.map((asked) => runnerOptionsOf(applyProfile(profile, asked).options));
      assert.deepEqual(first, second);
      assert.deepEqual(changedOptions(first ?? {}, second ?? {}), []);
      assert.deepEqual(first, profile.runner);
    }),
  );
});

test('what a request asks for is sent, served anyway, or named', () => {
  fc.assert(
    fc.property(
      runnerOptions,
      fc.subarray(RUNNER_NAMES),
      request,
      (options, requestOptions, asked: Readonly<Record<string, unknown>>) => {
        const layers = [{ source: 'configured', values: { options, requestOptions } }] as const;
        const sent = applyProfile(runnerProfile({ layers }), asked);
        for (const [name, value] of Object.entries(asked)) {
          if (value === null || value === undefined || sent.ignored.includes(name)) continue;
          const got = sent.options[name] ?? RUNNER_OPTIONS[name]?.unsent;
          if (name === 'num_ctx') assert.ok(Number(got) >= Number(value));
          else assert.deepEqual(got, value);
        }
      },
    ),
  );
});

test('a patch that is taken back leaves what was there before', () => {
  fc.assert(
    fc.property(runnerOptions, runnerOptions, (before, patch) => {
      const fresh = Object.fromEntries(Object.entries(patch).filter(([name]) => !(name in before)));
      const patched = patchedValues({ options: before }, { options: fresh, keepAlive: '5m' });
      assert.deepEqual(patched, { options: { ...before, ...fresh }, keepAlive: 300 });
      const undo = Object.fromEntries(Object.keys(fresh).map((name) => [name, null]));
      assert.deepEqual(patchedValues(patched, { options: undo, keepAlive: null }), { options: before });
    }),
  );
});
