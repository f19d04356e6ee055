import { useEffect, useState } from 'preact/hooks';

import { texts } from '../language.ts';
import { matching, readable, rooms, type Rule, sha256 } from './policy.ts';

/** How many of the digits of a digest are shown beside a name. */
const DIGITS = 8;

const LINE_MAX = 160;

/** Every rule in force, to be searched and unfolded. */
export function Rules({ rules }: { rules: Rule[] }) {
  const t = texts().about;
  const [query, search] = useState('');
  const found = matching(rules, query);
  return (
    <>
      <input class="field about-search" type="search" aria-label={t.search} placeholder={t.search} value={query} onInput={(event) => search(event.currentTarget.value)} />
      <p class="grey small" role="status">{t.found(found.length, rules.length)}</p>
      {rooms(found).map(([room, inside]) => (
        <section key={room} class="about-room">
          <h3>{t.rooms[room]?.title ?? room}</h3>
          {t.rooms[room] && <p class="grey small">{t.rooms[room].text}</p>}
          {inside.map((rule) => <Unfolding key={rule.name} rule={rule} />)}
        </section>
      ))}
    </>
  );
}

/** A rule whose text, which may be long, is drawn once somebody wants it. */
function Unfolding({ rule }: { rule: Rule }) {
  const [open, set] = useState(false);
  return (
    <details class="about-rule" onToggle={(event) => set(event.currentTarget.open)}>
      <summary><code>{rule.name}</code> <code class="grey">{rule.sha256.slice(0, DIGITS)}</code> {isLine(rule.text) && <q class="about-line" lang="en">{rule.text.trim()}</q>}</summary>
      {open && <Whole rule={rule} />}
    </details>
  );
}

/** Whether a text is one short line, which can stand beside its name. */
function isLine(text: string): boolean {
  return text.length <= LINE_MAX && !/^[{[]|\S\n+\S/.test(text);
}

function Whole({ rule: { text, sha256: said } }: { rule: Rule }) {
  const t = texts().about;
  const [fits, set] = useState<boolean | null>(null);
  useEffect(() => {
    void sha256(new TextEncoder().encode(text)).then((digest) => set(digest === null ? null : digest === said));
  }, [text, said]);
  return (
    <>
      <p class="small about-digest">
        SHA-256 <code>{said}</code>{' '}
        {fits !== null && <span class={fits ? 'grey' : 'about-wrong'}>{fits ? t.fits : t.differs}</span>}
      </p>
      <pre tabIndex={0} translate={false} lang="en" dir="ltr">{readable(text)}</pre>
    </>
  );
}
