// The whole page: conversations, the one that is open, and what is known about an answer.

import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

import { useChanging } from './changing.ts';
import { chat } from './chat/chat.ts';
import { ChatView } from './chat/view.tsx';
import { fleet } from './fleet.ts';
import { history } from './history/history.ts';
import { focusSearch, Sidebar } from './history/sidebar.tsx';
import { language, texts } from './language.ts';
import { Icon, IconButton } from './parts/icons.tsx';
import { lazy } from './parts/lazy.tsx';
import { NotesView } from './parts/notes.tsx';
import { address } from './routes.ts';

const Fleet = lazy(() => import('./fleet/page.tsx'));
const Preview = lazy(() => import('./composer/preview.tsx'));
const Panel = lazy(() => import('./panel/panel.tsx'));
const About = lazy(() => import('./about/page.tsx'));

const NARROW = '(max-width: 52rem)';

export function App() {
  useChanging(language);
  const { route } = useChanging(address);
  const { pending, panel, title } = useChanging(chat);
  useChanging(history);
  const t = texts();
  const online = useOnline();
  useEffect(() => {
    void fleet.load();
    void history.load();
  }, []);
  const talking = route.name === 'chat' || route.name === 'shared';
  const shownId = route.name === 'chat' ? route.id : null;
  const token = route.name === 'shared' ? route.token : undefined;
  // Before anything can be asked: opening a conversation ends what is under way in another.
  useLayoutEffect(() => {
    if (talking) void chat.open(shownId, token);
  }, [route.name, shownId, token]);
  const [side, setSide, over] = useSide(`${route.name} ${shownId ?? token}`);
  const leave = () => {
    setSide(false);
    // Once the button that opens it is there again.
    queueMicrotask(() => document.querySelector<HTMLElement>('.top .icon-button')?.focus());
  };
  useKeys(() => (setSide(true), focusSearch()));
  const name = route.name === 'fleet' ? t.fleet.title : route.name === 'about' ? t.about.title : titleOf(title);
  useEffect(() => void (document.title = name ? `${name} – Consilium` : 'Consilium'), [name]);
  return (
    <div class={`app ${side ? 'with-side' : ''} ${panel ? 'with-panel' : ''}`}>
      {talking && <a class="skip" href="#question">{t.app.skip}</a>}
      {side && <><div class="shade" onClick={leave} /><aside class="side"><Sidebar over={over} onClose={leave} /></aside></>}
      <main inert={over}>
        <header class="top">
          {!side && <IconButton name="side" label={t.app.openSidebar} onClick={() => setSide(true)} />}
          {talking && name ? <h1 class="top-title" dir="auto">{name}</h1> : <span class="top-title">{name}</span>}
          {!side && <a class="icon-button" href="/" aria-label={t.history.fresh} title={t.history.fresh}><Icon name="plus" /></a>}
        </header>
        {!online && <p class="offline" role="status"><Icon name="alert" />{t.app.offline}</p>}
        {talking ? <ChatView /> : <div class="scroller">{route.name === 'fleet' ? <Fleet /> : <About />}</div>}
      </main>
      {panel && talking && <Panel />}
      {pending && <Preview pending={pending} />}
      <NotesView />
    </div>
  );
}

/**
 * Whether the list of conversations is open, and whether it lies over what is at `place`: beside it there may be no
 * room, and then it is open until something else is wanted.
 */
function useSide(place: string) {
  const [side, setSide] = useState(true);
  const [narrow, setNarrow] = useState(false);
  useLayoutEffect(() => {
    const window = matchMedia(NARROW);
    const look = () => {
      setNarrow(window.matches);
      if (window.matches) setSide(false);
    };
    look();
    window.addEventListener('change', look);
    return () => window.removeEventListener('change', look);
  }, [place]);
  return [side, setSide, side && narrow] as const;
}

/** The title of the conversation that is open, as the list has it if it was changed there. */
function titleOf(title: string): string {
  return history.conversations.find(({ id }) => id === chat.id)?.title ?? title;
}

function useOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => setOnline(navigator.onLine);
    addEventListener('online', look);
    addEventListener('offline', look);
    return () => (removeEventListener('online', look), removeEventListener('offline', look));
  }, []);
  return online;
}

function useKeys(search: () => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const command = event.ctrlKey || event.metaKey;
      if (command && event.key.toLowerCase() === 'k') search();
      else if (command && event.shiftKey && event.key.toLowerCase() === 'o') address.go('/');
      else if (event.key === 'Escape' && !event.defaultPrevented && chat.panel) chat.show(null);
      else if (event.key === 'Escape' && !event.defaultPrevented && chat.live && !chat.pending) chat.stop();
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}
