// Whom the next question goes to: one alone, or all but some.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { chat } from '../chat/chat.ts';
import { fleet } from '../fleet.ts';
import { texts } from '../language.ts';

/** As many as are listed at once. */
const LISTED_MAX = 50;

/** `onDone` hears whether something was chosen. */
export default function Chooser({ onDone }: { onDone: (chosen: boolean) => void }) {
  const t = texts().composer;
  const root = useRef<HTMLDivElement>(null);
  const [find, setFind] = useState('');
  const [all, setAll] = useState(fleet.specialists);
  const found = all.slice(0, LISTED_MAX);
  useEffect(() => {
    const left = new AbortController();
    // Those who were found before stay where the router cannot be asked.
    fleet.find(find, left.signal).then(setAll, () => {});
    return () => left.abort();
  }, [find]);
  useLayoutEffect(() => {
    root.current?.querySelector('input')?.focus();
    const elsewhere = (event: Event) => !root.current?.contains(event.target as Element) && onDone(false);
    document.addEventListener('pointerdown', elsewhere);
    return () => document.removeEventListener('pointerdown', elsewhere);
  }, []);
  const toggle = (set: Set<string>, other: Set<string>, id: string) => {
    if (!set.delete(id)) set.add(id);
    other.delete(id);
    chat.changed();
    onDone(true);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    onDone(false);
  };
  const { only, exclude } = chat.wishes;
  return (
    <div class="chooser" ref={root} role="dialog" aria-label={t.menuTitle} onKeyDown={keys}>
      <p class="small grey">{t.menuTitle}</p>
      <input class="field" type="search" aria-label={t.menuFind} placeholder={t.menuFind} value={find} onInput={(event) => setFind(event.currentTarget.value)} onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()} />
      <ul>
        {found.map((one) => (
          <li>
            <span class="grow"><b>{one.title}</b><br /><span class="grey small">{one.institution}</span></span>
            <button type="button" class="chip" aria-pressed={only.has(one.id)} aria-label={`${t.menuOnly}: ${fleet.title(one.id)}`} onClick={() => toggle(only, exclude, one.id)}>{t.menuOnly}</button>
            <button type="button" class="chip" aria-pressed={exclude.has(one.id)} aria-label={`${t.menuWithout}: ${fleet.title(one.id)}`} onClick={() => toggle(exclude, only, one.id)}>{t.menuWithout}</button>
          </li>
        ))}
        {found.length === 0 && <li class="grey">{t.menuNone}</li>}
        {all.length > found.length && <li class="grey">{t.menuMore(all.length - found.length)}</li>}
      </ul>
    </div>
  );
}
