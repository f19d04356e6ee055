// One question with its answer.

import { Component } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

import { type Answer, citedSources, speaker } from '../answer/answer.ts';
import { AnswerView } from '../answer/shown.ts';
import type { Turn } from '../api.ts';
import { useChanging } from '../changing.ts';
import { texts } from '../language.ts';
import { copy } from '../parts/clipboard.ts';
import { useFitting } from '../parts/fitting.ts';
import { Icon, IconButton } from '../parts/icons.tsx';
import { likelihood } from '../parts/percent.ts';
import { Abstention } from './abstention.tsx';
import { chat, type Live, type Shown } from './chat.ts';
import { Thumbs } from './feedback.tsx';

/** After how long an answer without new words is slow. */
const SLOW_MS = 8000;

interface Props {
  turn: Turn;
  siblings: readonly Turn[];
  /** Its answer is coming. */
  live: Live | null;
  last: boolean;
  readOnly: boolean;
  /** The language of the page. */
  language: string;
}

/** A turn is drawn again only when something of it has changed, however many there are. */
export class TurnView extends Component<Props> {
  override shouldComponentUpdate(next: Props): boolean {
    const now = this.props;
    const same = next.siblings.length === now.siblings.length && next.siblings.every((one, at) => one.id === now.siblings[at]?.id);
    return !same || next.turn !== now.turn || next.live !== now.live || next.last !== now.last || next.readOnly !== now.readOnly || next.language !== now.language;
  }

  override render(props: Props) {
    return (
      <article class="turn" id={`turn-${props.turn.id}`}>
        <Question {...props} />
        {props.live ? <LiveAnswer turn={props.turn} live={props.live} /> : <EndedAnswer key={props.turn.id} {...props} />}
      </article>
    );
  }
}

function Question({ turn, siblings, live, readOnly }: Props) {
  const t = texts().turn;
  const [editing, setEditing] = useState(false);
  const at = siblings.findIndex(({ id }) => id === turn.id);
  const actions = useRef<HTMLDivElement>(null);
  const choose = (to: number) => (setEditing(false), chat.choose(turn.parent, siblings[to]!.id));
  const cancel = () => {
    setEditing(false);
    // Once the pencil is there again.
    queueMicrotask(() => actions.current?.querySelector<HTMLElement>('.quiet')?.focus());
  };
  return (
    <div class="question">
      <h2 class="hidden">{t.you}</h2>
      {editing ? <Editor turn={turn} onSent={() => setEditing(false)} onCancel={cancel} /> : <p class="bubble" dir="auto">{turn.question}</p>}
      <div class="question-actions" ref={actions}>
        {siblings.length > 1 && (
          <span class="versions">
            <IconButton name="back" label={t.before} disabled={at <= 0} onClick={() => choose(at - 1)} />
            <span class="small"><span class="hidden">{t.version(at + 1, siblings.length)}</span><span aria-hidden="true">{at + 1}/{siblings.length}</span></span>
            <IconButton name="forth" label={t.after} disabled={at >= siblings.length - 1} onClick={() => choose(at + 1)} />
          </span>
        )}
        {!readOnly && !live && !editing && <IconButton name="pencil" label={t.edit} class="quiet" onClick={() => setEditing(true)} />}
      </div>
    </div>
  );
}

function Editor({ turn, onSent, onCancel }: { turn: Turn; onSent: () => void; onCancel: () => void }) {
  const t = texts();
  const area = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(turn.question);
  useLayoutEffect(() => area.current?.setSelectionRange(text.length, text.length), []);
  useFitting(area, text);
  const send = () => {
    if (!text.trim() || chat.live) return;
    onSent();
    void chat.submit({ text: text.trim(), parent: turn.parent });
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onCancel();
    else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="editor">
      <textarea ref={area} class="field" dir="auto" rows={Math.min(12, text.split('\n').length + 1)} aria-label={t.turn.editLabel} value={text} autoFocus onInput={(event) => setText(event.currentTarget.value)} onKeyDown={keys} />
      <div class="row end">
        <button type="button" class="button" onClick={onCancel}>{t.app.cancel}</button>
        <button type="button" class="button main" disabled={!text.trim()} onClick={send}>{t.turn.resend}</button>
      </div>
    </div>
  );
}

function LiveAnswer({ turn, live }: { turn: Turn; live: Live }) {
  const { answer } = useChanging(live).growing;
  return (
    <>
      <h2 class="hidden">{texts().turn.answer}</h2>
      <Asked answer={answer} onShow={() => show(turn.id, 'considered')} />
      {answer.text !== '' && <AnswerView answer={answer} live onSource={(source) => show(turn.id, 'sources', source)} />}
      <Waiting answer={answer} />
    </>
  );
}

/** Who is waited for: before the first words, and whenever none come for a while. */
function Waiting({ answer }: { answer: Answer }) {
  const t = texts().turn;
  const [slow, setSlow] = useState(false);
  useLayoutEffect(() => {
    setSlow(false);
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(timer);
  }, [answer]);
  if (answer.text !== '' && !slow) return null;
  const names = answer.routing?.considered.filter(({ status }) => status === 'asked').map(({ title }) => title).join(', ') ?? '';
  return (
    <p class="waiting">
      <span class="dots" aria-hidden="true"><i /><i /><i /></span>
      {names === '' ? t.routing : slow ? t.slow(names) : t.waiting(names)}
    </p>
  );
}

function EndedAnswer({ turn, last, readOnly }: Props) {
  const t = texts().turn;
  const answer = chat.answer(turn);
  const abstained = answer?.reason === 'abstained' || (answer?.routing?.verdict === 'abstain' && answer.spans.every(({ specialist }) => specialist === null));
  return (
    <>
      <h2 class="hidden">{t.answer}</h2>
      {answer && !abstained && <Asked answer={answer} onShow={() => show(turn.id, 'considered')} />}
      {answer && abstained && <Abstention turn={turn} answer={answer} readOnly={readOnly} />}
      {answer && !abstained && answer.text !== '' && <AnswerView answer={answer} live={false} onSource={(source) => show(turn.id, 'sources', source)} />}
      {turn.state === 'running' && <p class="waiting"><span class="dots" aria-hidden="true"><i /><i /><i /></span>{t.running}</p>}
      {turn.state === 'stopped' && <p class="ended"><Icon name="stop" size={16} />{t.stopped}</p>}
      {turn.state === 'failed' && <Failed turn={turn} readOnly={readOnly} />}
      {turn.state !== 'running' && <Actions turn={turn} answer={answer} last={last} readOnly={readOnly} />}
    </>
  );
}

function Failed({ turn, readOnly }: { turn: Turn; readOnly: boolean }) {
  const t = texts();
  const message = turn.error?.code === 'unanswered' ? t.errors.busy : turn.error?.message;
  return (
    <div class="failed">
      <Icon name="alert" size={18} />
      <p>{t.turn.failed} {message && <span class="grey">{message}</span>}</p>
      {!readOnly && <button type="button" class="button" onClick={() => again(turn)}>{t.app.retry}</button>}
    </div>
  );
}

function Actions({ turn, answer, last, readOnly }: { turn: Turn; answer: Answer | null; last: boolean; readOnly: boolean }) {
  const t = texts().turn;
  return (
    <div class={last ? 'actions' : 'actions quiet'}>
      {answer && answer.text !== '' && <IconButton name="copy" label={t.copy} onClick={() => void copy(withSources(answer), t.copied)} />}
      {!readOnly && <IconButton name="again" label={t.regenerate} onClick={() => again(turn)} />}
      {!readOnly && answer && <Thumbs turn={turn} />}
      {answer?.routing && (
        <button type="button" class="details" title={t.detailsOf} onClick={() => show(turn.id, 'receipt')}>
          <Icon name="shield" size={16} />
          {t.details}
        </button>
      )}
    </div>
  );
}

/** Who was asked, by name, and how likely it is that they cover the question. */
function Asked({ answer, onShow }: { answer: Answer; onShow: () => void }) {
  const shown = answer.routing?.considered.filter(({ status }) => ['asked', 'answered', 'no_answer', 'timeout', 'failed'].includes(status)) ?? [];
  if (shown.length === 0) return null;
  // Who is asked what nobody covers does not cover it either.
  const likely = (confidence: number) => (answer.routing?.general ? '' : likelihood(confidence));
  return (
    <ul class="asked">
      {shown.map(({ title, institution, confidence, status }) => (
        <li>
          <button type="button" class={`asked-one is-${status}`} title={texts().panel.title} onClick={onShow}>
            <b>{title}</b>
            <span class="grey small">
              {[institution, likely(confidence), status === 'asked' || status === 'answered' ? '' : texts().status[status]].filter(Boolean).join(' · ')}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

export function show(turn: string, part: Shown['part'], source: number | null = null): void {
  chat.show({ turn, part, source });
}

function again(turn: Turn): void {
  void chat.submit({ text: turn.question, parent: turn.parent });
}

/** The answer as Markdown, with its sources. */
function withSources(answer: Answer): string {
  const lines = citedSources(answer).map(({ number, title, url, specialist }) => `[${number}] ${[title, speaker(answer, specialist).institution, url].filter(Boolean).join(', ')}`);
  return [answer.text, ...(lines.length > 0 ? [lines.join('\n')] : [])].join('\n\n');
}
