import { useState } from 'preact/hooks';

import { send } from '../api.ts';
import { namesOf } from '../fleet.ts';
import { texts } from '../language.ts';
import { Adding } from '../parts/adding.tsx';
import { Fetched } from '../parts/fetched.tsx';
import { tried } from '../parts/notes.tsx';
import { Card } from './card.tsx';
import { Confusion } from './confusion.tsx';
import { number } from './numbers.ts';
import './fleet.css';
import type { Report } from './report.ts';
import { Shares } from './shares.tsx';

/** Who is registered, and how they do. */
export default function Fleet() {
  const t = texts().fleet;
  return (
    <article class="page fleet">
      <h1>{t.title}</h1>
      <Fetched path="/v1/fleet">{(report: Report) => <Shown report={report} />}</Fetched>
    </article>
  );
}

function Shown({ report }: { report: Report }) {
  const t = texts().fleet;
  const { registered, up, tally } = report;
  const [specialists, set] = useState(report.specialists);
  if (registered === 0) {
    return (
      <>
        <p>{texts().start.noneText}</p>
        <Adding />
      </>
    );
  }
  const names = namesOf(specialists);
  const named = specialists.map((member) => ({ ...member, title: names.get(member.id) ?? member.title }));
  const told = { ...report, specialists: named };
  const more = async () => {
    const next = (await (await send('GET', `/v1/fleet?offset=${specialists.length}`)).json()) as Report;
    set([...specialists, ...next.specialists.filter(({ id }) => !names.has(id))]);
  };
  return (
    <>
      <p class="lead">{t.lead(report.name, registered, up)}</p>
      <ul class="fleet-cards">{specialists.map((member) => <Card key={member.id} member={member} names={named} />)}</ul>
      {specialists.length < registered && <button type="button" class="button center" onClick={() => void tried(more())}>{t.next(registered - specialists.length)}</button>}
      <section>
        <h2>{t.shares}</h2>
        <p class="grey">{t.counted(number(tally.turns), number(tally.asked), number(tally.abstained), number(tally.turns_max))}</p>
        {tally.asked > 0 && <Shares report={told} />}
      </section>
      {specialists.length > 1 && <Confusion report={told} />}
    </>
  );
}
