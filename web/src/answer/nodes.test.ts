import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answerOf, Growing, unitsOf } from './answer.ts';
import { Blocks } from './blocks.ts';
import { isSafe, type Node, nodes } from './nodes.ts';
import { readable, segments, within } from './segments.ts';

function read(text: string): Node[] {
  return new Blocks().read(text).flatMap(nodes);
}

function leaves(tree: Node[]): { text: string; start: number; end: number }[] {
  return tree.flatMap((node) => {
    if (node.kind === 'text') return [node];
    if (node.kind === 'element' || node.kind === 'link') return leaves(node.children);
    if (node.kind === 'table') return [node.head, ...node.rows].flat().flatMap((cell) => leaves(cell.children));
    return [];
  });
}

const RICH = `# A *title*

Some **bold *and more*** words with \`code\` and \\* a star, [a link](https://a.example/x) and ![an image](http://b/c.png).

| Option | Note |
|---|--:|
| One | two **three** |

> quoted
> twice

1. first
   goes on
2. second
   - deeper

\`\`\`js
let a = 1;
  b();
\`\`\`

<img src=x onerror=alert(1)>

[ref]: http://c.example

$$x^2$$

costs $5 or $6, and $a_1$.
`;

test('every text stands where it says', () => {
  for (const { text, start, end } of leaves(read(RICH))) {
    assert.equal(RICH.slice(start, end), text);
    assert.ok(end > start || text === '\n', JSON.stringify(text));
  }
});

test('no word is lost', () => {
  const shown = leaves(read(RICH)).map(({ text }) => text).join(' ');
  for (const word of ['title', 'bold', 'and more', 'code', 'a link', 'an image', 'Option', 'three', 'quoted', 'twice', 'first', 'goes on', 'deeper', 'let a = 1;', 'b();', '<img src=x onerror=alert(1)>', '[ref]: http://c.example', 'costs $5 or $6']) {
    assert.ok(shown.includes(word), word);
  }
  const math = read(RICH).flatMap((node) => (node.kind === 'math' ? [node.tex] : []));
  assert.deepEqual(math, ['x^2']);
});

test('a text that grows reads as it would at once, and blocks that ended are kept', () => {
  const growing = new Blocks();
  for (let end = 1; end <= RICH.length; end += 1) {
    const before = growing.read(RICH.slice(0, end - 1));
    const now = growing.read(RICH.slice(0, end));
    assert.equal(now.map(({ raw }) => raw).join(''), RICH.slice(0, end));
    const kept = before.filter(({ token }) => token.type !== 'space').slice(0, -1);
    const drawn = now.filter(({ token }) => token.type !== 'space');
    for (const [at, block] of kept.entries()) assert.equal(drawn[at], block);
  }
  assert.deepEqual(leaves(growing.read(RICH).flatMap(nodes)), leaves(read(RICH)));
});

test('hostile text stays text', () => {
  const hostile = ['<script>alert(1)</script>', '[x](javascript:alert(1))', '<svg/onload=alert(1)>', '![](http://e/beacon.png)', '[a]: javascript:x', '[x](data:text/html,hi)', '>'.repeat(5000), '- '.repeat(3000), '['.repeat(3000), '*'.repeat(2000), '\u202eabc\u200b', '$'.repeat(999), '&#x202e;&lt;b&gt;', '\0\r\r\n|a|\r\n|-|'];
  for (const text of hostile) {
    const plain = readable(text, []);
    assert.equal(plain.length, text.length);
    const blocks = new Blocks().read(plain);
    assert.equal(blocks.map(({ raw }) => raw).join(''), plain);
    const links = (tree: Node[]): string[] => tree.flatMap((node) => (node.kind === 'link' ? [node.href] : 'children' in node ? links(node.children) : []));
    for (const href of links(blocks.flatMap(nodes))) assert.ok(isSafe(href), href);
  }
});

test('only pages and mailboxes are linked to', () => {
  for (const href of ['https://a.example', 'HTTP://a.example/b?c', 'mailto:a@b.example']) assert.ok(isSafe(href), href);
  for (const href of ['javascript:alert(1)', ' javascript:x', 'data:text/html,x', '//a.example', '/c/1', 'vbscript:x', 'java\nscript:x', 'https:// a']) assert.ok(!isSafe(href), href);
});

const COMPLETION = {
  choices: [{ message: { content: 'Héllo 🐝 bees. [1] Other (b). [1](http://evil.example)' } }],
  citations: [],
  consilium: {
    spans: [
      { start: 0, end: 13, specialist: 'a', citation: { source: 1, start: 0, end: 3 } },
      { start: 13, end: 17, specialist: null, citation: null },
      { start: 17, end: 53, specialist: 'b', citation: null },
    ],
    agreements: [{ range: { start: 8, end: 13 }, specialist: 'c', citation: null }],
    disagreements: [{ earlier: { start: 0, end: 5 }, later: { start: 18, end: 23 }, difference: 'numbers' }],
    reason: 'answered',
  },
};

test('offsets in code points become offsets in code units', () => {
  const answer = answerOf(COMPLETION);
  assert.equal(answer.text.slice(answer.spans[1]!.start, answer.spans[1]!.end), ' [1]');
  assert.equal(answer.text.slice(answer.agreements[0]!.range.start, answer.agreements[0]!.range.end), 'bees.');
  assert.equal(unitsOf('ab')(1), 1);
  assert.equal(unitsOf('🐝b')(1), 2);
  assert.equal(unitsOf('🐝b')(9), 3);
});

test('segments cover the text and say whose it is', () => {
  const answer = answerOf(COMPLETION);
  const all = segments(answer);
  assert.equal(all.map(({ start, end }) => answer.text.slice(start, end)).join(''), answer.text);
  const bees = all.find(({ start, end }) => answer.text.slice(start, end).includes('bees'))!;
  assert.deepEqual([bees.specialist, bees.source, bees.also, bees.disputed], ['a', 1, ['c'], false]);
  assert.deepEqual(within(all, bees.start, bees.end), [bees]);
});

test('only the router marks sources', () => {
  const answer = answerOf(COMPLETION);
  const plain = readable(answer.text, segments(answer));
  assert.equal(plain.length, answer.text.length);
  assert.ok(plain.includes('bees. \ue0001\ue001 Other'));
  assert.ok(plain.endsWith('[1](http://evil.example)'));
  assert.equal(readable('\ue0001\ue001', []), '\ufffd1\ufffd');
});

test('a streamed answer ends as the whole one is', () => {
  const growing = new Growing();
  const { content } = COMPLETION.choices[0]!.message;
  for (const span of COMPLETION.consilium.spans) {
    const words = [...content].slice(span.start, span.end).join('');
    growing.take({ choices: [{ delta: { content: words }, finish_reason: null }], consilium: { span } });
  }
  assert.deepEqual(segments(growing.answer).map(({ start, end }) => [start, end]), segments({ ...answerOf(COMPLETION), agreements: [], disagreements: [] }).map(({ start, end }) => [start, end]));
  growing.take({ choices: [{ delta: {}, finish_reason: 'stop' }], citations: [], consilium: COMPLETION.consilium });
  assert.deepEqual(growing.answer, answerOf(COMPLETION));
});
