import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseNote } from '../../vault/parse-note.ts';
import type { SearchResult } from '../types.ts';
import { SignBits, signBitsOf } from './sign-bits.ts';
import type { VaultIndex } from './types.ts';
import { openVaultIndex } from './vault-index.ts';

const WORDS = ['apple', 'Bäume', 'заметки', '東京タワー', 'fooBar', 'running', 'the', 'ظلال', 'x1'];
const PATHS = ['a.md', 'b/Bäume.md', 'b/running apple.md', 'c/東京.md', 'c/d/fooBar.md'];
const FILE = { hash: '', size: 0, mtimeMs: 0 };

const text = fc
  .array(fc.constantFrom(...WORDS, '\n\n', '\n\n## '), { minLength: 1, maxLength: 25 })
  .map((words) => words.join(' '));
const path = fc.constantFrom(...PATHS);
const step = fc.oneof(
  fc.record({ do: fc.constant('put' as const), path, text }),
  fc.record({ do: fc.constant('remove' as const), path }),
  fc.record({ do: fc.constant('rename' as const), path, to: path }),
);

type Step = {
  readonly do: 'put' | 'remove' | 'rename';
  readonly path: string;
  readonly text?: string;
  readonly to?: string;
};

/** Does the same to an index and to a plain map of what must be in it. */
function apply(index: VaultIndex, notes: Map<string, string>, action: Step): void {
  const known = notes.get(action.path);
  if (action.do === 'put') {
    index.putNote(parseNote(action.path, action.text ?? ''), FILE);
    notes.set(action.path, action.text ?? '');
  } else if (action.do === 'remove') {
    assert.equal(index.removeNote(action.path), notes.delete(action.path));
  } else {
    const to = action.to ?? action.path;
    assert.equal(index.renameNote(action.path, to, parseNote(to, known ?? '')), known !== undefined);
    if (known === undefined) return;
    notes.delete(action.path);
    notes.set(to, known);
  }
}

/** Notes and scores; hits of equal score may come in another order. */
function outcome(result: SearchResult): unknown {
  return {
    notes: result.notes.map((note) => [note.path, note.score.toFixed(9)]),
    hits: result.hits.map((hit) => `${hit.path} ${hit.coverage.toFixed(9)}`).sort(),
  };
}

test('any sequence of puts, removals and renames answers like an index built afresh', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
      const index = openVaultIndex({ file: ':memory:' });
      const fresh = openVaultIndex({ file: ':memory:' });
      const notes = new Map<string, string>();
      for (const action of steps) apply(index, notes, action);
      for (const [path, content] of notes) fresh.putNote(parseNote(path, content), FILE);
      assert.deepEqual(index.stats(), fresh.stats());
      for (const query of [...WORDS, 'apple Bäume 東京', 'foo running']) {
        assert.deepEqual(outcome(index.search({ query })), outcome(fresh.search({ query })), query);
      }
      index.close();
      fresh.close();
    }),
    { numRuns: 40 },
  );
});

test('a question of a note’s own title finds the note', () => {
  const title = fc
    .stringMatching(/^[\p{L}\p{N} _-]{1,30}$/u)
    .filter((name) => /[\p{L}\p{N}]/u.test(name.normalize('NFKC')));
  fc.assert(
    fc.property(
      fc.uniqueArray(title, { minLength: 1, maxLength: 6, selector: (name) => name.trim().toLowerCase() }),
      (titles) => {
        const index = openVaultIndex({ file: ':memory:' });
        titles.forEach((name, at) => {
          index.putNote(parseNote(`${at}.md`, `---\ntitle: ${JSON.stringify(`q${name}`)}\n---\nText.`), FILE);
        });
        titles.forEach((name, at) => {
          const found = index.search({ query: `q${name}`, limit: 20 }).notes.map((note) => note.path);
          assert.ok(found.includes(`${at}.md`), name);
        });
        index.close();
      },
    ),
    { numRuns: 60 },
  );
});

/** Vectors around a few centres, as texts about a few subjects are. */
function clustered(count: number, dimensions: number, random: () => number): Float32Array[] {
  const centres = Array.from({ length: 40 }, () =>
    Float32Array.from({ length: dimensions }, () => random() - 0.5),
  );
  return Array.from({ length: count }, (_, at) =>
    Float32Array.from(
      { length: dimensions },
      (_, position) => (centres[at % 40]?.[position] ?? 0) + 0.4 * (random() - 0.5),
    ),
  );
}

function cosine(left: Float32Array, right: Float32Array): number {
  let product = 0;
  let a = 0;
  let b = 0;
  left.forEach((value, at) => {
    const other = right[at] ?? 0;
    product += value * other;
    a += value * value;
    b += other * other;
  });
  return product / Math.sqrt(a * b);
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

test('vector search finds at least 99 % of the ten chunks that an exact scan finds', () => {
  const random = generator(3);
  const vectors = clustered(2600, 128, random);
  const index = openVaultIndex({ file: ':memory:' });
  index.batch(() => {
    vectors.forEach((_, at) => index.putNote(parseNote(`${at}.md`, `note${at}`), FILE));
    index.pinEmbeddingModel({ name: 'm', digest: 'd', dimensions: 128 });
    const pending = index.chunksWithoutVector(5000);
    index.putVectors(
      'd',
      pending.map(({ id }) => ({ id, vector: vectors[id - 1] ?? new Float32Array(128) })),
    );
  });
  let found = 0;
  for (let round = 0; round < 20; round += 1) {
    const query =
      vectors[round * 97]?.map((value) => value + 0.3 * (random() - 0.5)) ?? new Float32Array(128);
    const truth = vectors.map((vector, at) => ({ at, score: cosine(query, vector) }));
    truth.sort((a, b) => b.score - a.score);
    const hits = new Set(
      index.search({ query: '', vector: query, limit: 10 }).notes.map((note) => note.path),
    );
    found += truth.slice(0, 10).filter(({ at }) => hits.has(`${at}.md`)).length;
  }
  assert.ok(found >= 198, `${found} of 200`);
  index.close();
});

test('sign bits keep every chunk through any order of sets and deletions', () => {
  const step = fc.record({ id: fc.integer({ min: 1, max: 30 }), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const bits = new SignBits(64);
      const known = new Map<number, Float32Array>();
      for (const { id, remove } of steps) {
        const vector = Float32Array.from({ length: 64 }, (_, at) => ((id >>> (at % 5)) & 1) - 0.5);
        if (remove) {
          bits.delete(id);
          known.delete(id);
        } else {
          bits.set(id, id, signBitsOf(vector));
          known.set(id, vector);
        }
      }
      assert.equal(bits.size, known.size);
      for (const [id, vector] of known) {
        const scan = bits.scan(signBitsOf(vector));
        const own = scan.nearest(1).find((match) => match.chunkId === id);
        assert.equal(own?.distance, 0);
        assert.equal(own.noteId, id);
      }
    }),
  );
});
