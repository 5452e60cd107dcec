import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { readAssets } from './assets.ts';

type Piece = { readonly block: unknown; readonly source: string };
type Range = { readonly start: number; readonly end: number };
type Lined = { readonly name: string; readonly range: Range; contains(other: Lined): boolean };

const folder = new URL('./assets/', import.meta.url);
const { parseMarkdown }: { parseMarkdown(text: string): readonly Piece[] } = await import(
  new URL('markdown.js', folder).href
);
const lines: {
  parseLines(hash: string): Range | undefined;
  chooseMarked(blocks: readonly Lined[], cited: Range): readonly Lined[];
} = await import(new URL('note-lines.js', folder).href);
const sse: {
  createSseReader(listeners: { onData(data: string): void; onComment(comment: string): void }): {
    push(text: string): void;
  };
} = await import(new URL('sse.js', folder).href);

const blocks = (text: string): readonly unknown[] => parseMarkdown(text).map((piece) => piece.block);
const text = (value: string): { type: string; text: string } => ({ type: 'text', text: value });

describe('the Markdown of an answer', () => {
  it('knows paragraphs with their line breaks, bold, emphasis, code and citations', () => {
    assert.deepEqual(blocks('A **b** *c* `d[1]`\ne [1, 23].'), [
      {
        type: 'paragraph',
        children: [
          text('A '),
          { type: 'strong', children: [text('b')] },
          text(' '),
          { type: 'emphasis', children: [text('c')] },
          text(' '),
          { type: 'code', text: 'd[1]' },
          { type: 'break' },
          text('e '),
          { type: 'citation', index: 1 },
          { type: 'citation', index: 23 },
          text('.'),
        ],
      },
    ]);
  });

  it('leaves snake_case, 2 * 3 * 4 and raw HTML as they are', () => {
    for (const plain of ['a snake_case_name', '2 * 3 * 4', '<img src=x onerror=alert(1)>', '[x](y z)']) {
      assert.deepEqual(blocks(plain), [{ type: 'paragraph', children: [text(plain)] }]);
    }
  });

  it('tells a link from a citation, and ends a bare address before the full stop', () => {
    assert.deepEqual(blocks('[1](https://a.example) https://b.example/x.'), [
      {
        type: 'paragraph',
        children: [
          { type: 'link', url: 'https://a.example', children: [text('1')] },
          text(' '),
          { type: 'link', url: 'https://b.example/x', children: [text('https://b.example/x')] },
          text('.'),
        ],
      },
    ]);
  });

  it('nests lists and keeps the first number', () => {
    const item = (value: string): object => ({ type: 'paragraph', children: [text(value)] });
    assert.deepEqual(blocks('3. a\n   - b\n\n4. c\nd'), [
      {
        type: 'list',
        ordered: true,
        start: 3,
        items: [
          [item('a'), { type: 'list', ordered: false, start: 1, items: [[item('b')]] }],
          [{ type: 'paragraph', children: [text('c'), { type: 'break' }, text('d')] }],
        ],
      },
    ]);
  });

  it('keeps an unclosed code fence as code, so that a stream does not flicker', () => {
    assert.deepEqual(blocks('```js\nif (a) **b**\n'), [{ type: 'code', text: 'if (a) **b**\n' }]);
  });

  it('reads headings, rules, quotes and tables', () => {
    assert.deepEqual(blocks('## T ##\n***\n> q\n\n|a|b|\n|-|-|\n|c\\|d|e|'), [
      { type: 'heading', level: 2, children: [text('T')] },
      { type: 'rule' },
      { type: 'quote', blocks: [{ type: 'paragraph', children: [text('q')] }] },
      { type: 'table', head: [[text('a')], [text('b')]], rows: [[[text('c|d')], [text('e')]]] },
    ]);
  });

  it('reads any text without failing and loses no line of it', () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.constantFrom(
        '- a',
        '  - b',
        '1. c',
        '```',
        '> q',
        '|a|b|',
        '|-|-|',
        '# h',
        '**x',
        '',
        '[1](',
        '    - d',
      ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (all) => {
        const source = all.join('\n');
        const kept = parseMarkdown(source).flatMap((piece) => piece.source.split('\n'));
        const wanted = source.split(/\r?\n/).filter((each) => each.trim() !== '');
        assert.deepEqual(
          kept.filter((each) => each.trim() !== ''),
          wanted,
        );
      }),
    );
  });

  it('takes hostile text in about linear time', () => {
    const hostile = [
      '**a ',
      '[a](',
      '*a',
      '`',
      '> ',
      '- ',
      '__a ',
      '|',
      '[',
      '~~',
      '\\',
      '1. ',
      'https://a.',
      '<',
    ];
    const took = (times: number): number => {
      const started = performance.now();
      for (const piece of hostile) parseMarkdown(piece.repeat(times));
      return performance.now() - started;
    };
    took(500);
    // Quadratic work would take 256 times as long; the bound leaves room for a busy machine.
    assert.ok(took(16_000) < 100 * Math.max(took(1_000), 2));
  });
});

describe('marking cited lines', () => {
  const make = (
    name: string,
    [start, end]: readonly [number, number],
    inner: readonly Lined[] = [],
  ): Lined => ({
    name,
    range: { start, end },
    contains: (other) => inner.some((each) => each === other || each.contains(other)),
  });
  const nested = make('nested', [5, 6]);
  const item = make('item', [4, 6], [nested]);
  const last = make('last', [7, 7]);
  const list = make('list', [4, 7], [item, last]);
  const all = [make('before', [1, 2]), list, item, nested, last];
  const marked = (start: number, end: number): string[] =>
    lines.chooseMarked(all, { start, end }).map((each) => each.name);

  it('marks a whole block once, and of a block in part the innermost', () => {
    assert.deepEqual(marked(1, 9), ['before', 'list']);
    assert.deepEqual(marked(4, 6), ['item']);
    assert.deepEqual(marked(6, 6), ['nested']);
    assert.deepEqual(marked(4, 4), ['item']);
    assert.deepEqual(marked(2, 7), ['before', 'list']);
    assert.deepEqual(marked(3, 3), []);
  });

  it('reads the lines of an address', () => {
    assert.deepEqual(lines.parseLines('#L12-L30'), { start: 12, end: 30 });
    assert.deepEqual(lines.parseLines('#L12'), { start: 12, end: 12 });
    assert.deepEqual(lines.parseLines('#L12-3'), { start: 12, end: 12 });
    for (const hash of ['', '#', '#Lx', '#h-l12', '#L1-L2-L3'])
      assert.equal(lines.parseLines(hash), undefined);
  });
});

describe('reading a stream', () => {
  it('gives the same events however the bytes are cut and lines end', () => {
    const wire = ': loading\n\ndata: {"a":1}\n\nevent: x\ndata:two\ndata: lines\n\ndata: [DONE]\n\n';
    const wanted = ['loading', '{"a":1}', 'two\nlines', '[DONE]'];
    const cuts = fc.array(fc.nat(wire.length * 2), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, fc.constantFrom('\n', '\r\n', '\r'), (places, end) => {
        const stream = `${wire.replaceAll('\n', end)}${end === '\r' ? '\n' : ''}`;
        const seen: string[] = [];
        const reader = sse.createSseReader({
          onData: (data) => seen.push(data),
          onComment: (each) => seen.push(each),
        });
        const edges = [
          0,
          ...places.filter((place) => place < stream.length).sort((a, b) => a - b),
          stream.length,
        ];
        for (const [index, edge] of edges.entries()) reader.push(stream.slice(edges[index - 1] ?? 0, edge));
        assert.deepEqual(seen, wanted);
      }),
    );
  });
});

describe('the page’s files', () => {
  const names = readdirSync(folder);

  it('never parse a note or an answer as HTML in the page, nor run text', () => {
    for (const name of names.filter((each) => each.endsWith('.js'))) {
      const source = readFileSync(new URL(name, folder), 'utf8');
      assert.doesNotMatch(
        source,
        /\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|\beval\b|new Function/,
        name,
      );
    }
  });

  it('hold no inline script or style, which the policy would refuse', () => {
    for (const name of names.filter((each) => each.endsWith('.html'))) {
      const source = readFileSync(new URL(name, folder), 'utf8');
      assert.doesNotMatch(source, /<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:/i, name);
    }
  });

  it('are all served, and stay small on the wire', () => {
    const { files } = readAssets();
    const wanted = names.filter((name) => /\.(?:js|css|svg)$/.test(name));
    assert.deepEqual([...files.keys()].sort(), wanted.sort());
    const bytes = [...files.values()].reduce((sum, file) => sum + file.gzip.length, 0);
    assert.ok(bytes < 40 * 1024, `${bytes} bytes compressed`);
  });
});
