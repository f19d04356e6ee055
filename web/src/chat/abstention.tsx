// Nobody answered: who was considered, and what the reader can do.

import type { Answer } from '../answer/answer.ts';
import type { Candidate, Turn } from '../api.ts';
import { fleet } from '../fleet.ts';
import { texts } from '../language.ts';
import { Bar } from '../parts/bar.tsx';
import { Icon } from '../parts/icons.tsx';
import { chat } from './chat.ts';
import { show } from './turn.tsx';

/** As many of those considered as are shown at once. */
const SHOWN_MAX = 4;

export function Abstention({ turn, answer, readOnly }: { turn: Turn; answer: Answer; readOnly: boolean }) {
  const t = texts();
  const considered = answer.routing?.considered ?? [];
  const asking = considered.filter(({ status }) => status === 'consent_missing');
  const { general } = fleet;
  // The list that ends the router's sentence stands below, with more.
  const sentence = answer.text.split(/ Considered: /)[0]!;
  const only = (id: string) => {
    chat.wishes.only = new Set([id]);
    void chat.submit({ text: turn.question, parent: turn.parent });
  };
  const agree = () => {
    for (const { id } of asking) chat.consent.add(id);
    void chat.submit({ text: turn.question, parent: turn.parent });
  };
  return (
    <section class="abstention">
      <p class="own" dir="auto">{sentence}</p>
      {considered.length > 0 && <h3 class="small grey">{t.turn.considered}</h3>}
      <ul>{considered.slice(0, SHOWN_MAX).map((candidate) => <Considered candidate={candidate} onAsk={readOnly ? null : () => only(candidate.id)} />)}</ul>
      <div class="row">
        {!readOnly && asking.length > 0 && (
          <button type="button" class="button main" onClick={agree}>{t.preview.agree}</button>
        )}
        {!readOnly && general && (
          <button type="button" class="button" title={t.turn.generalText} onClick={() => only(general.id)}>{t.turn.general(general.title)}</button>
        )}
        {considered.length > SHOWN_MAX && (
          <button type="button" class="button" onClick={() => show(turn.id, 'considered')}><Icon name="people" />{t.turn.detailsAll(considered.length)}</button>
        )}
      </div>
    </section>
  );
}

/** `onAsk` sends the question there all the same. */
function Considered({ candidate, onAsk }: { candidate: Candidate; onAsk: (() => void) | null }) {
  const t = texts();
  return (
    <li>
      <span><b>{candidate.title}</b><br /><span class="grey small">{candidate.institution}</span></span>
      <Bar value={candidate.confidence} />
      <span class="grey small">{t.status[candidate.status] ?? candidate.status}</span>
      {onAsk && candidate.status === 'below_threshold' && (
        <button type="button" class="chip" aria-label={`${t.turn.anyway}: ${candidate.title}`} onClick={onAsk}>{t.turn.anyway}</button>
      )}
    </li>
  );
}
