// Where a question is written, and who it may go to.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { chat } from '../chat/chat.ts';
import { useChanging } from '../changing.ts';
import { fleet } from '../fleet.ts';
import { texts } from '../language.ts';
import { useFitting } from '../parts/fitting.ts';
import { Icon, IconButton } from '../parts/icons.tsx';
import { words } from '../parts/notes.tsx';
import { lazy } from '../parts/lazy.tsx';

const Chooser = lazy(() => import('./chooser.tsx'));

const CHARACTERS_MAX = 16_000;

/** Whether what is written to brings a keyboard onto the screen. */
const touched = () => matchMedia('(pointer: coarse)').matches;

export function Composer({ parent }: { parent: string | null }) {
  const t = texts();
  useChanging(fleet);
  const area = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const [choosing, setChoosing] = useState(false);
  // The router does not know the conversation any more: the question begins another.
  const expired = chat.failure?.code === 'conversation_not_found';
  const over = text.length - CHARACTERS_MAX;
  const ready = text.trim() !== '' && over <= 0 && chat.state === 'ready';
  // Not again as the first question names its conversation.
  useEffect(() => {
    if (!chat.live && !touched()) area.current?.focus({ preventScroll: true });
  }, [chat.id]);
  // Before another word can be written, which it would replace.
  useLayoutEffect(() => {
    if (!chat.draft) return;
    setText(chat.draft.text);
    chat.draft = null;
    area.current?.focus();
  }, [chat.draft]);
  useFitting(area, text);
  const send = () => {
    if (!ready || chat.live) return;
    if (expired) void chat.open(null);
    void chat.submit({ text: text.trim(), parent: expired ? null : parent });
    setText('');
    // A keyboard on the screen would cover the answer.
    if (touched()) area.current?.blur();
    else area.current?.focus();
  };
  const write = (event: InputEvent & { currentTarget: HTMLTextAreaElement }) => {
    const { value, selectionEnd } = event.currentTarget;
    setText(value);
    if (event.data === '@' && /(^|\s)@$/.test(value.slice(0, selectionEnd))) setChoosing(true);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const chosen = (done: boolean) => {
    setChoosing(false);
    // The sign that opened the list was not part of the question.
    if (done) setText((now) => now.replace(/(^|\s)@$/, '$1'));
    area.current?.focus();
  };
  return (
    <form class="composer" onSubmit={(event) => (event.preventDefault(), send())}>
      {chat.failure && (
        <p class="failed" role="alert">
          <Icon name="alert" />
          <span>{expired ? t.errors.session : words(chat.failure)}</span>
          <button type="submit" class="button">{expired ? t.history.fresh : t.app.retry}</button>
        </p>
      )}
      <Wishes />
      <div class="composer-box">
        <textarea ref={area} id="question" class="composer-text" rows={Math.min(8, text.split('\n').length)} dir="auto" enterkeyhint="send" aria-label={t.composer.label} placeholder={parent === null ? t.composer.placeholder : t.composer.placeholderNext} value={text} onInput={write} onKeyDown={keys} />
        <div class="composer-tools">
          <IconButton name="people" label={t.composer.who} onClick={() => setChoosing(!choosing)} />
          <button type="button" class="look" aria-label={t.composer.preview} disabled={!ready} onClick={() => void chat.look({ text: text.trim(), parent })}>
            <Icon name="eye" size={16} />
            <span>{t.composer.preview}</span>
          </button>
          {over > 0 && <span class="bad small" role="status">{t.composer.tooLong(over)}</span>}
          <span class="grow" />
          {chat.live ? (
            <button type="button" class="send" aria-label={t.composer.stop} title={t.composer.stop} onClick={() => chat.stop()}><Icon name="stop" /></button>
          ) : (
            <button type="submit" class="send" aria-label={t.composer.send} title={t.composer.send} disabled={!ready}><Icon name="send" /></button>
          )}
        </div>
        {choosing && <Chooser onDone={chosen} />}
      </div>
      <p class="hint small grey">{t.composer.hint}</p>
    </form>
  );
}

/** What the next question's reader wished: whom to ask only, whom to leave out, who may see it. */
function Wishes() {
  const t = texts().composer;
  const { wishes, consent } = chat;
  const chips: [Set<string>, string, string][] = [
    ...[...wishes.only].map((id): [Set<string>, string, string] => [wishes.only, id, t.only(fleet.title(id))]),
    ...[...wishes.exclude].map((id): [Set<string>, string, string] => [wishes.exclude, id, t.without(fleet.title(id))]),
    ...[...consent].map((id): [Set<string>, string, string] => [consent, id, t.agreed(fleet.title(id))]),
  ];
  if (chips.length === 0) return null;
  return (
    <ul class="wishes">
      {chips.map(([from, id, text]) => (
        <li>
          <button type="button" class="chip" aria-label={t.drop(text)} onClick={() => (from.delete(id), chat.changed())}>
            {text}
            <Icon name="close" size={14} />
          </button>
        </li>
      ))}
    </ul>
  );
}
