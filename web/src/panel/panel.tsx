// All that is known about one answer: beside it, or on a phone a sheet over it.

import { useId, useLayoutEffect, useRef } from 'preact/hooks';

import { type Answer, citedSources, plainly, speaker, unitsOf } from '../answer/answer.ts';
import type { Candidate, Citation, Span } from '../api.ts';
import { chat, type Shown } from '../chat/chat.ts';
import { useChanging } from '../changing.ts';
import { texts } from '../language.ts';
import { Bar } from '../parts/bar.tsx';
import { IconButton } from '../parts/icons.tsx';
import { likelihood, percent } from '../parts/percent.ts';
import { ReceiptView } from './receipt.tsx';

const NARROW = '(max-width: 70rem)';
/** As much of somebody's words as a line of the list shows. */
const WORDS_MAX = 90;

export default function Panel() {
  const { panel, turns } = useChanging(chat);
  const turn = turns.find(({ id }) => id === panel?.turn);
  const answer = turn && (turn.id === chat.liveTurn ? (chat.live?.growing.answer ?? null) : chat.answer(turn));
  if (!panel || !turn || !answer) return null;
  return <Sheet key={panel.turn} shown={panel} answer={answer} />;
}

function Sheet({ shown, answer }: { shown: Shown; answer: Answer }) {
  const t = texts();
  const id = useId();
  const sheet = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const { current } = sheet;
    const before = document.activeElement as HTMLElement | null;
    if (matchMedia(NARROW).matches) current?.showModal();
    else current?.show();
    return () => {
      current?.close();
      before?.focus({ preventScroll: true });
    };
  }, []);
  useLayoutEffect(() => {
    const aim = sheet.current?.querySelector<HTMLElement>(shown.source === null ? `[data-part="${shown.part}"]` : `[data-number="${shown.source}"]`);
    aim?.scrollIntoView({ block: shown.source === null ? 'start' : 'nearest' });
    aim?.focus({ preventScroll: true });
  }, [shown]);
  const close = () => chat.show(null);
  return (
    <dialog ref={sheet} class="panel" aria-labelledby={id} onCancel={(event) => (event.preventDefault(), close())} onClick={(event) => event.target === sheet.current && close()}>
      <aside class="panel-inside" aria-labelledby={id}>
        <header>
          <h2 id={id}>{t.panel.title}</h2>
          <IconButton name="close" label={t.app.close} onClick={close} />
        </header>
        <section data-part="considered" tabIndex={-1}>
          <h3>{t.panel.considered}</h3>
          <ul class="considered">{answer.routing?.considered.map((one) => <Considered one={one} threshold={answer.routing!.threshold} />)}</ul>
          {answer.routing && <p class="small grey">{t.panel.threshold(percent(answer.routing.threshold))}{answer.routing.history?.used && ` ${t.panel.history}`}</p>}
        </section>
        <section data-part="sources" tabIndex={-1}>
          <h3>{t.panel.sources}</h3>
          {citedSources(answer).length === 0 && <p class="grey small">{t.panel.noSources}</p>}
          {citedSources(answer).length > 0 && <p class="grey small">{t.panel.cited}</p>}
          {citedSources(answer).map((citation) => <Source citation={citation} answer={answer} open={citation.number === shown.source} />)}
        </section>
        <section>
          <h3>{t.panel.words}</h3>
          <Words answer={answer} turn={shown.turn} />
          {answer.leftOut.map((id) => <p class="grey small">{t.turn.leftOut(speaker(answer, id).title)}</p>)}
        </section>
        <section data-part="receipt" tabIndex={-1}>
          <h3>{t.panel.receipt}</h3>
          {answer.reason === null || !answer.receipt ? (
            <p class="grey small">{t.panel.noReceipt}</p>
          ) : answer.receipt.capability ? (
            <ReceiptView receipt={answer.receipt} />
          ) : (
            <p class="grey small">{t.panel.sharedReceipt}</p>
          )}
        </section>
      </aside>
    </dialog>
  );
}

function Considered({ one, threshold }: { one: Candidate; threshold: number }) {
  const t = texts();
  const away = one.confidence < threshold && one.status !== 'answered';
  return (
    <li class={away ? 'away' : ''}>
      <span class="grow" dir="auto"><b>{one.title}</b><br /><span class="grey small">{one.institution}</span></span>
      <span class="considered-score"><Bar value={one.confidence} /><span class="small">{likelihood(one.confidence)}</span></span>
      <span class="small status">{t.status[one.status] ?? one.status}</span>
    </li>
  );
}

function Source({ citation, answer, open }: { citation: Citation; answer: Answer; open: boolean }) {
  const t = texts().panel;
  const { number, title, section, page, license, url, specialist, source_id } = citation;
  const place = [section && t.section(section), page !== null && t.page(String(page)), license && `${t.license}: ${license}`].filter(Boolean);
  return (
    <details class="source" open={open || citedSources(answer).length <= 2} key={`${number}${open}`}>
      <summary data-number={number}><span class="mark still">{number}</span><span dir="auto"><b>{title || source_id}</b><br /><span class="grey small">{speaker(answer, specialist).institution}</span></span></summary>
      <blockquote dir="auto">{highlighted(citation, answer)}</blockquote>
      <p class="small grey">{place.map((part, at) => <>{at > 0 && ' · '}<bdi>{part}</bdi></>)}</p>
      {/^https?:\/\//i.test(url) && <p class="small"><a href={url} target="_blank" rel="noopener noreferrer nofollow" referrerpolicy="no-referrer">{t.openSource}</a></p>}
    </details>
  );
}

/** A passage with all that is cited of it marked. */
function highlighted({ number, text }: Citation, answer: Answer) {
  const unit = unitsOf(text);
  const cited = [...answer.spans, ...answer.agreements].flatMap(({ citation }) => (citation?.source === number ? [citation] : []));
  const ranges = cited.map(({ start, end }) => [unit(start), unit(end)] as const).sort(([one], [other]) => one - other);
  const pieces = [];
  let at = 0;
  for (const [start, end] of ranges) {
    if (end <= at) continue;
    const from = Math.max(start, at);
    pieces.push(text.slice(at, from), <mark>{text.slice(from, end)}</mark>);
    at = end;
  }
  return [...pieces, text.slice(at)];
}

/** What of the answer is whose, in order: neighbours by one speaker together. */
function Words({ answer, turn }: { answer: Answer; turn: string }) {
  const t = texts();
  const runs: (Span & { first: number })[] = [];
  for (const [at, span] of answer.spans.entries()) {
    const before = runs.at(-1);
    if (before && before.specialist === span.specialist) before.end = span.end;
    else if (plainly(answer.text.slice(span.start, span.end))) runs.push({ ...span, first: at });
  }
  const go = (span: number) => {
    if (matchMedia(NARROW).matches) chat.show(null);
    const words = document.getElementById(`turn-${turn}`)?.querySelector<HTMLElement>(`[data-span="${span}"]`);
    words?.scrollIntoView({ block: 'center' });
    words?.click();
  };
  return (
    <ol class="whose">
      {runs.map(({ start, end, specialist, first }) => {
        const words = plainly(answer.text.slice(start, end));
        const shown = words.length > WORDS_MAX ? `${words.slice(0, WORDS_MAX)}…` : words;
        return (
          <li>
            <b class="small">{specialist === null ? t.panel.router : speaker(answer, specialist).title}</b>
            {specialist === null ? <span class="small grey" dir="auto">{shown}</span> : <button type="button" class="small" dir="auto" onClick={() => go(first)}>{shown}</button>}
          </li>
        );
      })}
    </ol>
  );
}
