// The conversation in its column, with the place to write below it.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

import { useChanging } from '../changing.ts';
import { Composer } from '../composer/composer.tsx';
import { shown } from '../conversation.ts';
import { language, texts } from '../language.ts';
import { Icon } from '../parts/icons.tsx';
import { address } from '../routes.ts';
import { chat } from './chat.ts';
import { Start } from './start.tsx';
import { TurnView } from './turn.tsx';

/** As many turns as are drawn at first, and more each time that the reader comes to the top. */
const TURNS_DRAWN = 5;

/** Whoever is nearer to the end, in pixels, has gone there. */
const NEAR_END = 80;

export function ChatView() {
  useChanging(chat);
  const { turns, chosen, state } = chat;
  const path = useMemo(() => shown(turns, chosen), [turns, chosen]);
  const { scroller, content } = useFollowing(path.length, path.at(-1)?.turn.id);
  const [first, earlier] = useFirst(path.length, scroller);
  const empty = path.length === 0 && state === 'ready' && !chat.shared;
  return (
    <div class={empty ? 'chat empty' : 'chat'}>
      <div class="scroller" ref={scroller} tabIndex={-1}>
        <div class="column" ref={content}>
          {chat.shared && state === 'ready' && <Reading />}
          {state === 'loading' && <p class="grey center">{texts().app.loading}</p>}
          {(state === 'missing' || state === 'failed') && <Missing />}
          {empty && <Start />}
          {first > 0 && <button type="button" class="button center" ref={earlier}>{texts().turn.earlier}</button>}
          <div role="log" aria-live="off" aria-label={texts().history.title} aria-busy={chat.live !== null}>
            {path.slice(first).map(({ turn, siblings }, at) => (
              <TurnView
                key={turn.parent ?? ''}
                turn={turn}
                siblings={siblings}
                live={turn.id === chat.liveTurn ? chat.live : null}
                last={first + at === path.length - 1}
                readOnly={chat.shared}
                language={language.code}
              />
            ))}
          </div>
        </div>
      </div>
      {!chat.shared && state !== 'missing' && <Composer parent={path.at(-1)?.turn.id ?? null} />}
    </div>
  );
}

/**
 * Keeps what is new in view while it grows: the last question and as much after it as there is room for, so that an
 * answer is read from its beginning; or the end, where the reader has gone there. Nothing, where they went elsewhere.
 */
function useFollowing(count: number, last: string | undefined) {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef<'question' | 'end' | null>(null);
  const scrolledTo = useRef(0);
  const follow = () => {
    const [frame, turn] = [scroller.current, content.current?.querySelector('.turn:last-child')];
    if (!frame || !turn || !following.current) return;
    const top = turn.getBoundingClientRect().top - frame.getBoundingClientRect().top + frame.scrollTop;
    frame.scrollTop = following.current === 'end' ? frame.scrollHeight : top;
    scrolledTo.current = frame.scrollTop;
  };
  useEffect(() => {
    const { current } = scroller;
    if (!current || !content.current) return;
    let height = 0;
    const scrolled = () => {
      // What grows scrolls nothing by itself, and what was scrolled here says nothing about the reader.
      const byReader = current.scrollHeight === height && Math.abs(current.scrollTop - scrolledTo.current) > 1;
      height = current.scrollHeight;
      if (byReader) following.current = height - current.scrollTop - current.clientHeight < NEAR_END ? 'end' : null;
    };
    const grown = new ResizeObserver(follow);
    grown.observe(content.current);
    current.addEventListener('scroll', scrolled, { passive: true });
    return () => (grown.disconnect(), current.removeEventListener('scroll', scrolled));
  }, []);
  useLayoutEffect(() => {
    following.current = count > 0 && !chat.shared ? 'question' : null;
    follow();
  }, [count, last, chat.id]);
  return { scroller, content };
}

/** Which turn is the first that is drawn; more are when the reader comes near it. */
function useFirst(count: number, scroller: { current: HTMLElement | null }) {
  const [drawn, setDrawn] = useState(TURNS_DRAWN);
  const earlier = useRef<HTMLButtonElement>(null);
  useEffect(() => setDrawn(TURNS_DRAWN), [chat.id]);
  useEffect(() => {
    // On paper nobody can scroll.
    const all = () => setDrawn(Infinity);
    addEventListener('beforeprint', all);
    return () => removeEventListener('beforeprint', all);
  }, []);
  const first = Math.max(0, count - drawn);
  useEffect(() => {
    const [button, frame] = [earlier.current, scroller.current];
    if (!button || !frame) return;
    const more = () => {
      const below = frame.scrollHeight - frame.scrollTop;
      setDrawn((before) => before + TURNS_DRAWN);
      // What is drawn above must not push away what is read.
      requestAnimationFrame(() => (frame.scrollTop = frame.scrollHeight - below));
    };
    const near = new IntersectionObserver(([entry]) => entry?.isIntersecting && more(), { root: frame, rootMargin: '300px' });
    near.observe(button);
    button.addEventListener('click', more);
    return () => near.disconnect();
  }, [first]);
  return [first, earlier] as const;
}

function Reading() {
  const t = texts().share;
  return (
    <p class="banner"><Icon name="eye" /><span>{t.reading}</span><a class="button" href="/">{t.own}</a></p>
  );
}

function Missing() {
  const t = texts();
  const text = chat.state === 'failed' ? t.errors.offline : chat.shared ? t.share.gone : t.errors.missing;
  const again = () => {
    const { id } = chat;
    chat.id = null;
    void chat.open(id);
  };
  return (
    <div class="nothing">
      <Icon name="alert" size={28} />
      <p>{text}</p>
      {chat.state === 'failed' && !chat.shared ? (
        <button type="button" class="button" onClick={again}>{t.app.retry}</button>
      ) : (
        <button type="button" class="button main" onClick={() => address.go('/')}>{t.history.fresh}</button>
      )}
    </div>
  );
}
