// A thumb, and why.

import { useRef, useState } from 'preact/hooks';

import { api, type Feedback, type Turn } from '../api.ts';
import { texts } from '../language.ts';
import { IconButton } from '../parts/icons.tsx';
import { notes, tried } from '../parts/notes.tsx';
import { chat } from './chat.ts';

/** Why a thumb may point down, as the router knows it. */
const REASONS = ['wrong_specialist', 'incorrect', 'incomplete', 'unclear', 'unsafe', 'outdated', 'other'];

export function Thumbs({ turn }: { turn: Turn }) {
  const t = texts();
  const [asking, setAsking] = useState(false);
  const given = turn.feedback;
  const sent = useRef<Promise<unknown>>(Promise.resolve());
  const give = async (feedback: Feedback | null) => {
    const before = turn.feedback;
    chat.change(turn.id, { feedback });
    // A reason must not be overtaken by the thumb before it.
    const sending = sent.current.then(() => api.rate(chat.id!, turn.id, feedback));
    sent.current = sending.catch(() => undefined);
    if (!(await tried(sending))) chat.change(turn.id, { feedback: before });
    else notes.show(feedback ? t.feedback.thanks : t.feedback.taken);
  };
  const thumb = (rating: Feedback['rating']) => {
    const same = given?.rating === rating;
    setAsking(!same && rating === 'down');
    void give(same ? null : { rating, reason: null });
  };
  return (
    <>
      <IconButton name="up" label={t.turn.good} pressed={given?.rating === 'up'} onClick={() => thumb('up')} />
      <IconButton name="down" label={t.turn.bad} pressed={given?.rating === 'down'} onClick={() => thumb('down')} />
      {asking && given?.rating === 'down' && (
        <div class="reasons" role="group" aria-label={t.feedback.title}>
          <span class="small grey">{t.feedback.title}</span>
          {REASONS.map((reason) => (
            <button type="button" class="chip" aria-pressed={given.reason === reason} onClick={() => (setAsking(false), void give({ rating: 'down', reason }))}>
              {t.feedback.reasons[reason] ?? reason}
            </button>
          ))}
          <IconButton name="close" label={t.app.close} onClick={() => setAsking(false)} />
        </div>
      )}
    </>
  );
}
