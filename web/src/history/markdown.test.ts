import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Completion, Turn } from '../api.ts';
import en from '../messages/en.ts';
import { markdown } from './markdown.ts';

const HOSTILE = 'red\n# Mine <img src=//x> ![a](//x) [b](javascript:0) [c](https://sky.example)';
const ANSWER = {
  choices: [{ message: { content: `Rust. ${HOSTILE}` } }],
  citations: [
    { number: 1, specialist: 'sky', source_id: 's', title: HOSTILE, url: 'https://sky.example/mars', license: 'CC-BY-4.0', section: null, page: 3, text: 'Rust.' },
    { number: 2, specialist: 'sky', source_id: 'not cited', title: '', url: 'javascript:0', license: '', section: null, page: null, text: '' },
  ],
  consilium: {
    routing: { considered: [{ id: 'sky', title: 'Planets', institution: 'City Observatory', confidence: 1, status: 'answered', asks_consent: false }] },
    spans: [{ start: 0, end: 5, specialist: 'sky', citation: { source: 1, start: 0, end: 5 } }],
    notices: [{ specialist: 'sky', text: 'Written for\nvisitors.' }],
    receipt: { id: 'r1', url: '/v1/receipts/r1', capability: 'secret' },
  },
} as unknown as Completion;

const turn = (changes: Partial<Turn>): Turn => ({
  id: '1', parent: null, question: 'why\nred?', created_at_ms: 7, state: 'done', answer: null, error: null, feedback: null, ...changes,
});
const written = (...turns: Turn[]) => markdown('Mars\nred', turns, en, (ms) => `at ${ms}`);

test('an answer says whose it is and where it comes from', () => {
  const text = written(turn({ answer: ANSWER }));
  assert.ok(text.startsWith('# Mars red\n\n---\n\n*at 7*\n\n> why\n> red?\n\nRust. red\n'), text);
  const title = 'red # Mine &lt;img src=//x> !\\[a\\](//x) [b\\](javascript:0) [c](https://sky.example)';
  assert.ok(text.includes(`\n- [1] ${title}, p. 3, City Observatory, CC-BY-4.0, <https://sky.example/mars>\n`), text);
  for (const line of ['Answered by: City Observatory', 'Note from City Observatory: Written for visitors.', 'Receipt: r1']) {
    assert.ok(text.includes(`\n\n${line}\n`), line);
  }
  assert.ok(!text.includes('not cited') && !text.includes('secret'), text);
});

test('nothing in the file acts by itself', () => {
  assert.doesNotMatch(written(turn({ question: HOSTILE, answer: ANSWER })), /<(?!https?:)[a-z/!?]|!\[|[^\\]\]\((?!https:)/i);
});

test('an answer that is not whole says so', () => {
  assert.match(written(turn({ state: 'stopped' })), /> red\?\n\n\*You stopped the answer here\.\*\n$/);
  assert.match(written(turn({ state: 'failed' })), /\*The answer broke off\.\*\n$/);
});
