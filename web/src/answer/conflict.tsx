// Where specialists contradict each other: both sides next to each other, in their own words.

import type { Disagreement, Range } from '../api.ts';
import { texts } from '../language.ts';
import { Icon } from '../parts/icons.tsx';
import { type Answer, plainly, speaker } from './answer.ts';

interface Conflict {
  earlier: Range;
  later: Range;
  differences: string[];
}

/** One for each pair of ranges, with all that they differ in. */
export function conflicts(disagreements: readonly Disagreement[]): Conflict[] {
  const found = new Map<string, Conflict>();
  for (const { earlier, later, difference } of disagreements) {
    const key = [earlier.start, earlier.end, later.start, later.end].join();
    const conflict = found.get(key) ?? { earlier, later, differences: [] };
    if (!conflict.differences.includes(difference)) conflict.differences.push(difference);
    found.set(key, conflict);
  }
  return [...found.values()];
}

export function Conflicts({ answer, onSource }: { answer: Answer; onSource: (source: number) => void }) {
  const t = texts().conflict;
  return (
    <>
      {conflicts(answer.disagreements).map((conflict) => (
        <section class="conflict" aria-label={t.title}>
          <h3><Icon name="alert" size={16} />{t.title}</h3>
          <p class="small">{t.in(conflict.differences.map((kind) => t.kinds[kind] ?? kind).join(', '))}</p>
          <div class="sides">
            <Side answer={answer} range={conflict.earlier} onSource={onSource} />
            <Side answer={answer} range={conflict.later} onSource={onSource} />
          </div>
        </section>
      ))}
    </>
  );
}

function Side({ answer, range, onSource }: { answer: Answer; range: Range; onSource: (source: number) => void }) {
  const span = answer.spans.find((one) => one.specialist !== null && one.start < range.end && range.start < one.end);
  const who = span?.specialist ? speaker(answer, span.specialist) : null;
  const source = span?.citation?.source;
  return (
    <figure>
      <blockquote dir="auto">{plainly(answer.text.slice(range.start, range.end))}</blockquote>
      <figcaption>
        {who && <span>{who.institution || who.title}</span>}
        {source !== undefined && (
          <button type="button" class="mark" aria-label={texts().turn.source(source)} onClick={() => onSource(source)}>{source}</button>
        )}
      </figcaption>
    </figure>
  );
}
