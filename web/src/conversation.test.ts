import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Turn } from './api.ts';
import { said, shown, type Version } from './conversation.ts';

const turn = (id: string, parent: string | null, at: number): Turn => ({
  id, parent, question: `q${id}`, created_at_ms: at, state: 'done',
  answer: { choices: [{ message: { content: `a${id}` } }], consilium: {} }, error: null, feedback: null,
});
const TURNS = [turn('1', null, 1), turn('2', '1', 2), turn('3', '1', 3), turn('4', '2', 4), turn('5', null, 0)];
const ids = (path: Version[]) => path.map(({ turn }) => turn.id).join('');

test('the newest versions are shown, unless others were chosen', () => {
  assert.equal(ids(shown(TURNS, new Map())), '13');
  assert.equal(ids(shown(TURNS, new Map([['1', '2']]))), '124');
  assert.equal(ids(shown(TURNS, new Map([['', '5']]))), '5');
  assert.equal(ids(shown(TURNS, new Map([['', 'gone']]))), '13');
});

test('versions come oldest first', () => {
  const siblings = shown(TURNS, new Map()).map(({ siblings }) => siblings.map(({ id }) => id).join(''));
  assert.deepEqual(siblings, ['51', '23']);
});

test('what was said is the path alone', () => {
  assert.deepEqual(said(TURNS, '4').map(({ text }) => text), ['q1', 'a1', 'q2', 'a2', 'q4', 'a4']);
  assert.deepEqual(said(TURNS, null), []);
});

test('circles end', () => {
  const circle = [turn('a', 'b', 1), turn('b', 'a', 2)];
  assert.equal(ids(shown(circle, new Map())), '');
  assert.equal(said(circle, 'a').length, 4);
});
