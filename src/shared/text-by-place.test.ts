import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { TextByPlace } from './text-by-place.ts';

test('rows read as if each text had been made anew, and only those that differ are', () => {
  const value = fc.constantFrom<string | number | boolean>('1', 1, true, '', 'true', -0, 0, Number.NaN);
  const row = fc.array(fc.tuple(fc.constantFrom('a', 'b'), value), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const make = (name: string, of: string | number | boolean): string => `${name}=${typeof of}:${of}`;
      const texts = new TextByPlace(make);
      for (const cells of rows)
        for (const [place, [name, of]] of cells.entries())
          assert.equal(texts.at(place, name, of), make(name, of));
    }),
  );
  let made = 0;
  const texts = new TextByPlace<string>((name, of) => `${name}${of}${(made += 1)}`);
  assert.deepEqual(
    [texts.at(0, 'a', 'x'), texts.at(1, 'b', 'y'), texts.at(0, 'a', 'x')],
    ['ax1', 'by2', 'ax1'],
  );
  assert.equal(texts.at(0, 'a', 'y'), 'ay3');
});

test('what cannot be made is told each time and leaves what was there', () => {
  const texts = new TextByPlace<string>((name, value) => {
    if (value === 'bad') throw new TypeError(name);
    return value;
  });
  texts.at(0, 'a', 'good');
  for (let time = 0; time < 2; time += 1) assert.throws(() => texts.at(0, 'a', 'bad'), TypeError);
  assert.equal(texts.at(0, 'a', 'good'), 'good');
});
