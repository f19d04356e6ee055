import assert from 'node:assert/strict';
import { test } from 'node:test';

import { matching, readable, rooms, type Rule, sha256 } from './policy.ts';

const rule = (name: string, text: string): Rule => ({ name, text, sha256: 'ab12' });
const rules = [rule('route/policy', '{"hits_max":256}'), rule('merge/heading', 'From {institution}:'), rule('route/source', 'fn decide()')];

test('a rule is found by its name, its digest and its text', () => {
  const names = (query: string) => matching(rules, query).map(({ name }) => name);
  assert.deepEqual(names('ROUTE decide'), ['route/source']);
  assert.deepEqual(names('  '), ['route/policy', 'merge/heading', 'route/source']);
  assert.equal(names('ab12').length, 3);
  assert.deepEqual(names('heading decide'), []);
});

test('rules stand in their rooms', () => {
  assert.deepEqual(rooms(rules).map(([room, inside]) => [room, inside.length]), [['route', 2], ['merge', 1]]);
});

test('settings are shown one below another, all else as it stands', () => {
  assert.equal(readable('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(readable('{institution} says'), '{institution} says');
  assert.equal(readable('plain'), 'plain');
});

test('a digest is that of the bytes', async () => {
  assert.equal(await sha256(new TextEncoder().encode('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
