import assert from 'node:assert/strict';
import { test } from 'node:test';

import { examined, MATRIX_MAX, type Member, rivals, share, shown, uncovered } from './report.ts';

function member(id: string, more: Partial<Member> = {}): Member {
  return { id, won: 0, asked: 0, exam: null, ...more } as Member;
}

function exam(at: number, own: [asked: number, led: number], overlaps: [id: string, asked: number, taken: number, lost: number][]) {
  const named = overlaps.map(([specialist_id, asked, taken, lost]) => ({ specialist_id, neighbour: false, asked, taken, lost }));
  return { examined_at_ms: at, general: false, own: { asked: own[0], led: own[1], uncovered: own[0] - own[1] }, overlaps: named } as unknown as Member['exam'];
}

test('the later exam says where questions go', () => {
  const early = member('a', { exam: exam(1, [10, 9], []) });
  const late = member('b', { exam: exam(2, [8, 7], [['a', 20, 3, 1]]) });
  assert.deepEqual(examined([early, late]), [
    [{ n: 9, of: 10 }, { n: 3, of: 20 }],
    [{ n: 1, of: 8 }, { n: 7, of: 8 }],
  ]);
  const apart = member('z', { exam: exam(3, [5, 5], []) });
  assert.deepEqual(examined([early, apart])[0]?.[1], { n: 0, of: 0 }, 'nothing taken, of an unknown count');
  assert.deepEqual(examined([early, apart])[1]?.[0], { n: 0, of: 5 });
  assert.deepEqual(uncovered([early, member('c')]), [{ n: 1, of: 10 }, null]);
  assert.deepEqual(examined([member('c'), member('d', { exam: exam(1, [0, 0], []) })]), [[null, null], [null, null]]);
});

test('rivals are counted among the turns that somebody won', () => {
  const members = [member('a', { won: 4 }), member('b')];
  const pairs = [{ won: 'a', other: 'b', asked: 1, second: 3 }];
  assert.deepEqual(rivals(members, pairs, 'asked'), [[null, { n: 1, of: 4 }], [null, null]]);
  assert.deepEqual(rivals(members, pairs, 'second')[0]?.[1], { n: 3, of: 4 });
  assert.equal(share({ n: 0, of: 0 }), 0);
});

test('a large fleet shows those who are asked most, in its own order', () => {
  const members = Array.from({ length: MATRIX_MAX + 2 }, (_, at) => member(`s${at}`, { asked: at }));
  assert.deepEqual(shown(members), members.slice(2));
  assert.equal(shown(members.slice(1, 3)).length, 2);
});
