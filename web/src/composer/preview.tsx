// Who would see a question, before anybody does; and the reader's consent where somebody asks for it.

import { useState } from 'preact/hooks';

import type { Candidate } from '../api.ts';
import { chat, type Pending } from '../chat/chat.ts';
import { texts } from '../language.ts';
import { Bar } from '../parts/bar.tsx';
import { Dialog } from '../parts/dialog.tsx';

const OTHERS_MAX = 5;

export default function Preview({ pending }: { pending: Pending }) {
  const t = texts();
  const { routing, failed, needed } = pending;
  const close = () => {
    chat.pending = null;
    chat.put({ text: pending.text, parent: pending.parent });
  };
  return (
    <Dialog title={needed ? t.preview.needsTitle : t.preview.title} onClose={close} class="preview">
      {failed ? <p>{t.preview.failed}</p> : routing === null ? <p class="grey">{t.preview.asking}</p> : <Known pending={pending} onClose={close} />}
    </Dialog>
  );
}

function Known({ pending, onClose }: { pending: Pending; onClose: () => void }) {
  const t = texts().preview;
  const { needed, text, parent } = pending;
  const routing = pending.routing!;
  const asking = routing.considered.filter(({ status }) => status === 'consent_missing');
  const sees = routing.considered.filter(({ id }) => routing.seen_by.includes(id));
  const others = routing.considered.filter((one) => !sees.includes(one) && !asking.includes(one)).slice(0, OTHERS_MAX);
  // Where one alone asks, the buttons are the choice. Among several, nobody is agreed to beforehand.
  const [only, ...more] = asking;
  const [agreed, setAgreed] = useState(new Set(only && more.length === 0 ? [only.id] : []));
  const [left, setLeft] = useState(new Set<string>());
  const earlier = Math.max(0, ...routing.earlier_turns);
  const send = (agreed: ReadonlySet<string>) => {
    for (const { id } of asking) (agreed.has(id) ? chat.consent : chat.wishes.exclude).add(id);
    for (const id of left) chat.wishes.exclude.add(id);
    void chat.ask({ text, parent });
  };
  const toggle = (set: Set<string>, change: (set: Set<string>) => void, id: string) => {
    const next = new Set(set);
    if (!next.delete(id)) next.add(id);
    change(next);
  };
  return (
    <>
      {needed && <p>{t.needsText}</p>}
      <blockquote class="asking" dir="auto">{text}</blockquote>
      {sees.length === 0 && asking.length === 0 && <p>{t.seesNone}</p>}
      <ul class="would-see">
        {asking.map((one) => (
          <Who candidate={one} says={t.needs} on={agreed.has(one.id)} onToggle={more.length > 0 ? () => toggle(agreed, setAgreed, one.id) : null} />
        ))}
        {sees.map((one) => (
          <Who candidate={one} says={one.status === 'outranked' ? t.reserve : t.sees} on={!left.has(one.id)} onToggle={() => toggle(left, setLeft, one.id)} />
        ))}
      </ul>
      {earlier > 0 && <p class="small">{t.earlier(earlier)}</p>}
      {others.length > 0 && (
        <details>
          <summary class="small">{t.others}</summary>
          <ul class="others">
            {others.map((one) => (
              <li class="small"><span class="grow">{one.title} <span class="grey">{one.institution}</span></span><Bar value={one.confidence} /><span class="grey">{texts().status[one.status] ?? one.status}</span></li>
            ))}
          </ul>
        </details>
      )}
      <div class="row end">
        <button type="button" class="button" onClick={onClose}>{texts().app.cancel}</button>
        {asking.length > 0 && <button type="button" class="button" onClick={() => send(new Set())}>{t.without}</button>}
        {asking.length > 0 && <button type="button" class="button main" disabled={agreed.size === 0} onClick={() => send(agreed)}>{t.agree}</button>}
        {asking.length === 0 && <button type="button" class="button main" onClick={() => send(agreed)}>{t.send}</button>}
      </div>
    </>
  );
}

interface WhoProps {
  candidate: Candidate;
  says: string;
  on: boolean;
  /** None where there is nothing to choose. */
  onToggle: (() => void) | null;
}

function Who({ candidate, says, on, onToggle }: WhoProps) {
  const label = texts().preview.agreeOne;
  return (
    <li class={on ? '' : 'off'}>
      <span class="grow"><b>{candidate.title}</b> <span class="grey">{candidate.institution}</span><br /><span class="small">{says}</span></span>
      {onToggle && <label class="switch"><input type="checkbox" checked={on} onChange={onToggle} aria-label={`${label}: ${candidate.title}`} /><span class="small">{label}</span></label>}
    </li>
  );
}
