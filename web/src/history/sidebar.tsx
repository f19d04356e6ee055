// The reader's conversations, beside the one that is open; on a phone a drawer over it.

import { useLayoutEffect, useRef, useState } from 'preact/hooks';

import { api, LISTED_MAX, type Summary } from '../api.ts';
import { chat } from '../chat/chat.ts';
import { useChanging } from '../changing.ts';
import { texts } from '../language.ts';
import { Icon, IconButton } from '../parts/icons.tsx';
import { COMMAND } from '../parts/keys.ts';
import { Menu } from '../parts/menu.tsx';
import { tried } from '../parts/notes.tsx';
import { address } from '../routes.ts';
import { lazy } from '../parts/lazy.tsx';
import { Settings } from '../settings.tsx';
import type { Asked } from './asking.tsx';
import { history } from './history.ts';

const Asking = lazy(() => import('./asking.tsx'));

/** `over` the rest of the page it has the keyboard to itself. */
export function Sidebar({ over, onClose }: { over: boolean; onClose: () => void }) {
  const t = texts();
  useChanging(history);
  useChanging(chat);
  const [asked, setAsked] = useState<Asked | null>(null);
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (over) list.current?.querySelector('button')?.focus();
  }, [over]);
  const keys = (event: KeyboardEvent) => {
    if (over && event.key === 'Escape') {
      event.preventDefault();
      return onClose();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [...list.current!.querySelectorAll<HTMLElement>('#search, a.conversation')];
    const at = all.indexOf(event.target as HTMLElement);
    if (!step || at < 0) return;
    all[at + step]?.focus();
    event.preventDefault();
  };
  return (
    <div class="sidebar" ref={list} onKeyDown={keys}>
      <div class="sidebar-top">
        <a class="brand" href="/"><img src="/icon.svg" alt="" width="24" height="24" />Consilium</a>
        <IconButton name="side" label={t.app.closeSidebar} onClick={onClose} />
      </div>
      <a class="button fresh" href="/"><Icon name="plus" />{t.history.fresh}</a>
      <div class="search">
        <Icon name="search" size={16} />
        <kbd aria-hidden="true">{COMMAND} K</kbd>
        <input id="search" class="field" type="search" placeholder={t.history.find} aria-label={t.history.search} value={history.query} onInput={(event) => history.search(event.currentTarget.value)} />
      </div>
      <nav class="conversations" aria-label={t.history.title}>
        <List onAsk={setAsked} />
      </nav>
      <footer>
        <a class="quiet-link" href="/fleet"><Icon name="people" size={16} />{t.history.fleet}</a>
        <a class="quiet-link" href="/about"><Icon name="book" size={16} />{t.history.about}</a>
        <Settings />
        {history.retentionDays !== null && <p class="small grey">{t.history.kept(history.retentionDays)}</p>}
      </footer>
      {asked && <Asking asked={asked} onClose={() => setAsked(null)} />}
    </div>
  );
}

/** Pinned ones first, then by folder, then the rest; in a search just what was found. */
function List({ onAsk }: { onAsk: (asked: Asked) => void }) {
  const t = texts().history;
  const { conversations, query, state } = history;
  // Who puts a conversation elsewhere goes there with it.
  const held = document.activeElement?.closest<HTMLElement>('.conversations li')?.dataset['id'];
  useLayoutEffect(() => {
    if (held && document.activeElement === document.body) document.querySelector<HTMLElement>(`[data-id="${CSS.escape(held)}"] button`)?.focus();
  });
  const searched = query.trim() !== '';
  if (state === 'failed') return <p class="grey small">{texts().errors.offline}</p>;
  if (state === 'loading') return null;
  if (conversations.length === 0) return <p class="grey small">{searched ? t.noneFound(query.trim()) : t.none}</p>;
  const items = (of: Summary[]) => <ul>{of.map((one) => <Item key={one.id} one={one} onAsk={onAsk} />)}</ul>;
  if (searched) return <><p class="small grey" role="status">{t.found(conversations.length)}</p>{items(conversations)}</>;
  const pinned = conversations.filter((one) => one.pinned);
  const rest = conversations.filter((one) => !one.pinned);
  const folders = [...new Set(rest.flatMap(({ folder }) => folder ?? []))].sort((one, other) => one.localeCompare(other));
  const loose = rest.filter(({ folder }) => !folder);
  return (
    <>
      {pinned.length > 0 && <><h3>{t.pinned}</h3>{items(pinned)}</>}
      {folders.map((folder) => (
        <details key={folder} open>
          <summary><Icon name="folder" size={15} />{folder}</summary>
          {items(rest.filter((one) => one.folder === folder))}
        </details>
      ))}
      {loose.length > 0 && <>{(pinned.length > 0 || folders.length > 0) && <h3>{t.recent}</h3>}{items(loose)}</>}
      {conversations.length === LISTED_MAX && <p class="grey small">{t.older}</p>}
    </>
  );
}

function Item({ one, onAsk }: { one: Summary; onAsk: (asked: Asked) => void }) {
  const t = texts().history;
  const { title } = one;
  const pin = () => tried(api.change(one.id, { pinned: !one.pinned }).then(() => history.load()));
  const saved = (format: 'markdown' | 'json') => () => void tried(import('./export.ts').then((room) => room.exported(one.id, format)));
  const ask = (kind: Asked['kind']) => () => onAsk({ kind, one });
  const current = address.route.name === 'chat' && chat.id === one.id;
  return (
    <li class={current ? 'current' : ''} data-id={one.id}>
      <a class="conversation" href={`/c/${one.id}`} aria-current={current ? 'page' : undefined} dir="auto">
        <span class="conversation-title">{one.pinned && <Icon name="pin" size={13} />}{one.shared && <Icon name="share" size={13} />}<span>{title}</span></span>
        {one.snippet && <span class="small grey snippet">{one.snippet.before}<mark>{one.snippet.match}</mark>{one.snippet.after}</span>}
      </a>
      <Menu
        label={t.actions(title)}
        actions={[
          { icon: 'pin', label: one.pinned ? t.unpin : t.pin, act: () => void pin() },
          { icon: 'pencil', label: t.rename, act: ask('rename') },
          { icon: 'folder', label: t.folder, act: ask('folder') },
          { icon: 'share', label: t.share, act: ask('share') },
          { icon: 'load', label: t.exportMarkdown, act: saved('markdown') },
          { icon: 'load', label: t.exportJson, act: saved('json') },
          { icon: 'trash', label: t.delete, act: ask('delete'), grave: true },
        ]}
      >
        <Icon name="more" size={16} />
      </Menu>
    </li>
  );
}

/** Puts the focus where a search is written: once what was shown just now is drawn, and before another key is pressed. */
export function focusSearch(): void {
  queueMicrotask(() => document.getElementById('search')?.focus());
}
