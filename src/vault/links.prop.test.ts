import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createLinkResolver } from './links.ts';
import type { LinkTarget } from './links.ts';

const part = fc.constantFrom('a', 'b', 'A', 'c d', 'e\u0301', '\u00e9');
const path = fc
  .tuple(fc.array(part, { maxLength: 2 }), part, fc.constantFrom('.md', '.md', '.png'))
  .map(([folders, name, extension]) => [...folders, name].join('/') + extension);
const aliases = fc.array(part, { maxLength: 2 });
const change = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), path, aliases }),
  fc.record({ kind: fc.constant('remove' as const), path }),
  fc.record({ kind: fc.constant('rename' as const), path, to: path }),
);
const target = fc.oneof(
  path,
  part,
  path.map((text) => `./${text}`),
  path.map((text) => `../${text}`),
  part.map((text) => `a/${text}`),
);

test('a resolver that followed every change answers as one that was built anew', () => {
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 30, size: 'max' }),
      fc.array(fc.tuple(target, path), { minLength: 5 }),
      (changes, questions) => {
        const followed = createLinkResolver([]);
        const files = new Map<string, LinkTarget>();
        for (const step of changes) {
          const key = step.path.normalize('NFC');
          if (step.kind === 'add') {
            followed.add(step);
            files.set(key, { path: key, aliases: step.aliases });
          } else if (step.kind === 'remove') {
            followed.remove(step.path);
            files.delete(key);
          } else {
            const before = files.get(key);
            followed.rename(step.path, step.to);
            files.delete(key);
            const to = step.to.normalize('NFC');
            files.set(to, { path: to, aliases: before?.aliases ?? [] });
          }
        }
        const rebuilt = createLinkResolver(files.values());
        assert.equal(followed.size, rebuilt.size);
        for (const [wanted, from] of questions) {
          const answer = followed.resolve({ target: wanted }, from);
          assert.deepEqual(answer, rebuilt.resolve({ target: wanted }, from));
          assert.equal(answer.path === undefined, answer.state === 'unresolved');
          if (answer.path !== undefined) assert.ok(files.has(answer.path));
        }
      },
    ),
    { numRuns: 400 },
  );
});
