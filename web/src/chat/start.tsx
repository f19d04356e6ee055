// The empty page: who answers here, and a few questions that they do answer.

import { useChanging } from '../changing.ts';
import { fleet, isUp } from '../fleet.ts';
import { texts } from '../language.ts';
import { Adding } from '../parts/adding.tsx';
import { Icon } from '../parts/icons.tsx';
import { chat } from './chat.ts';

const SPECIALISTS_MAX = 6;
const QUESTIONS_MAX = 2;

export function Start() {
  const t = texts().start;
  const { specialists, count, up, state } = useChanging(fleet);
  if (state === 'there' && count === 0) return <Nobody />;
  const down = count > 0 && up === 0;
  const shown = specialists.slice(0, SPECIALISTS_MAX);
  return (
    <section class="start">
      <h1>{t.title}</h1>
      <p class="grey">{t.text}</p>
      {down && <p class="banner warn"><Icon name="alert" /><span><b>{t.allDown}.</b> {t.allDownText}</span></p>}
      {specialists.length > 0 && <h2 class="small grey">{t.who}</h2>}
      <ul class="specialists">
        {shown.map((one) => (
          <li class={isUp(one) ? '' : 'down'}>
            <h3>{one.title}</h3>
            <p class="grey small">
              {one.institution}
              {one.asks_consent && <> · {t.asks}</>}
              {!isUp(one) && <> · {t.down}</>}
            </p>
            <ul>
              {one.example_questions.slice(0, QUESTIONS_MAX).map((question) => (
                <li>
                  <button type="button" class="example" dir="auto" onClick={() => chat.put({ text: question, parent: null })}>{question}</button>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
      {count > shown.length && <p><a href="/fleet">{t.all} ({count})</a></p>}
    </section>
  );
}

function Nobody() {
  const t = texts().start;
  return (
    <section class="start">
      <h1>{t.none}</h1>
      <p class="grey">{t.noneText}</p>
      <Adding />
      <p class="grey small">{t.noneHint}</p>
    </section>
  );
}
