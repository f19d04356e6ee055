import { texts } from '../language.ts';
import { ExamWords } from './exam.tsx';
import { date, number } from './numbers.ts';
import type { Member } from './report.ts';

/** How many of the digits of a key or a digest are shown at once. */
const DIGITS = 8;

/** What a specialist says of itself, and how it is. */
export function Card({ member, names }: { member: Member; names: Member[] }) {
  const t = texts().fleet;
  const { title, institution, description, health, notice } = member;
  return (
    <li class="fleet-card" id={member.id}>
      <header>
        <h2 dir="auto">{title}</h2>
        <p class="grey" dir="auto">{institution}</p>
      </header>
      <p class={`fleet-health ${health}`}>
        <span class="fleet-dot" aria-hidden="true" />
        {t.health[health]}
      </p>
      <p class="fleet-description" dir="auto">{description}</p>
      {notice && <p class="fleet-notice" dir="auto">{notice}</p>}
      <Marks member={member} />
      <details>
        <summary>{t.more}</summary>
        <Facts member={member} />
        <h3>{t.exam.title}</h3>
        <ExamWords member={member} names={names} />
      </details>
    </li>
  );
}

function Marks({ member }: { member: Member }) {
  const t = texts().fleet;
  const open = (what: string | null) => t.openness[what ?? 'unsaid'];
  return (
    <dl class="fleet-facts">
      <div><dt>{t.passages}</dt><dd>{number(member.passage_count)}</dd></div>
      <div><dt>{t.license}</dt><dd>{member.license}</dd></div>
      <div><dt>{t.data}</dt><dd>{open(member.data_openness)}</dd></div>
      <div><dt>{t.weights}</dt><dd>{open(member.weights_openness)}</dd></div>
      <div><dt>{t.key}</dt><dd>{member.key === null ? t.unsigned : <Digits hex={member.key} />}{member.key_revoked && ` ${t.revoked}`}</dd></div>
      {member.asks_consent && <div><dt>{t.consent}</dt><dd>{t.asks}</dd></div>}
    </dl>
  );
}

function Facts({ member }: { member: Member }) {
  const t = texts().fleet;
  const { intended_use, retention, generator, history_turns_max, example_questions } = member;
  return (
    <dl class="fleet-texts">
      {intended_use && <><dt>{t.use}</dt><dd dir="auto">{intended_use}</dd></>}
      {retention && <><dt>{t.retention}</dt><dd dir="auto">{retention}</dd></>}
      <dt>{t.history}</dt>
      <dd>{t.turns(history_turns_max)}</dd>
      <dt>{t.generator}</dt>
      <dd>{generator}</dd>
      {example_questions.length > 0 && (
        <>
          <dt>{t.examples}</dt>
          <dd><ul>{example_questions.map((question) => <li key={question} dir="auto">{question}</li>)}</ul></dd>
        </>
      )}
      <dt>{t.since}</dt>
      <dd>{date(member.registered_at_ms)}</dd>
      {member.key !== null && <><dt>{t.keyWhole}</dt><dd><code>{member.key}</code></dd></>}
      <dt>{t.card}</dt>
      <dd><code>{member.card_sha256}</code></dd>
    </dl>
  );
}

function Digits({ hex }: { hex: string }) {
  return <code>{hex.slice(0, DIGITS)}</code>;
}
