import assert from 'node:assert/strict';
import { test } from 'node:test';

import { namesOf } from './fleet.ts';

test('who is called as others are is told apart by whose it is', () => {
  const one = (id: string, title: string, institution: string) => ({ id, title, institution });
  const names = namesOf([one('a', 'Care', 'North'), one('b', 'Care', 'South'), one('c', 'Planets', 'South')]);
  assert.deepEqual([...names], [['a', 'Care, North'], ['b', 'Care, South'], ['c', 'Planets']]);
});
