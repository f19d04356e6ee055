// What is asked before a conversation is renamed, moved, shared or deleted.

import { useEffect, useState } from 'preact/hooks';

import { api, type Summary } from '../api.ts';
import { chat } from '../chat/chat.ts';
import { texts } from '../language.ts';
import { copy } from '../parts/clipboard.ts';
import { Dialog } from '../parts/dialog.tsx';
import { notes, tried } from '../parts/notes.tsx';
import { address } from '../routes.ts';
import { history } from './history.ts';

export interface Asked {
  kind: 'rename' | 'folder' | 'share' | 'delete';
  one: Summary;
}

const TITLE_MAX = 80;
const FOLDER_MAX = 40;

export default function Asking({ asked, onClose }: { asked: Asked; onClose: () => void }) {
  switch (asked.kind) {
    case 'rename':
    case 'folder':
      return <Named asked={asked} onClose={onClose} />;
    case 'share':
      return <Share one={asked.one} onClose={onClose} />;
    case 'delete':
      return <Delete one={asked.one} onClose={onClose} />;
  }
}

function Named({ asked: { kind, one }, onClose }: { asked: Asked; onClose: () => void }) {
  const t = texts();
  const rename = kind === 'rename';
  const [text, setText] = useState((rename ? one.title : one.folder) ?? '');
  const folders = [...new Set(history.conversations.flatMap(({ folder }) => folder ?? []))];
  const save = async (event: Event) => {
    event.preventDefault();
    const name = text.trim();
    if (rename && !name) return;
    if (!(await tried(api.change(one.id, rename ? { title: name } : { folder: name || null })))) return;
    onClose();
    await history.load();
  };
  return (
    <Dialog title={rename ? t.history.rename : t.history.folder} onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
        <label>
          <span class="small">{rename ? t.history.renameLabel : t.history.folderLabel}</span>
          <input class="field" dir="auto" autoFocus maxLength={rename ? TITLE_MAX : FOLDER_MAX} value={text} list="folders" onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        {!rename && <datalist id="folders">{folders.map((folder) => <option value={folder} />)}</datalist>}
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>{t.app.cancel}</button>
          <button type="submit" class="button main" disabled={rename && !text.trim()}>{t.app.save}</button>
        </div>
      </form>
    </Dialog>
  );
}

function Share({ one, onClose }: { one: Summary; onClose: () => void }) {
  const t = texts().share;
  const [token, setToken] = useState<string | null>(null);
  useEffect(() => {
    if (one.shared) void api.conversation(one.id).then(({ share }) => setToken(share), () => undefined);
  }, []);
  const link = token && `${location.origin}/s/${token}`;
  const make = () => tried(api.share(one.id).then((made) => (setToken(made.token), history.load())));
  const revoke = async () => {
    if (!(await tried(api.revoke(one.id)))) return;
    setToken(null);
    notes.show(t.revoked);
    await history.load();
  };
  return (
    <Dialog title={t.title} onClose={onClose}>
      <p>{t.text}</p>
      {link && <input class="field" readOnly aria-label={t.title} value={link} onFocus={(event) => event.currentTarget.select()} />}
      <div class="row end">
        {link ? (
          <>
            <button type="button" class="button bad" onClick={() => void revoke()}>{t.revoke}</button>
            <button type="button" class="button main" onClick={() => void copy(link, t.copied)}>{t.copy}</button>
          </>
        ) : (
          <button type="button" class="button main" onClick={() => void make()}>{t.make}</button>
        )}
      </div>
    </Dialog>
  );
}

function Delete({ one, onClose }: { one: Summary; onClose: () => void }) {
  const t = texts();
  const remove = async () => {
    if (!(await tried(api.remove(one.id)))) return;
    onClose();
    notes.show(t.history.deleted);
    if (chat.id === one.id) address.go('/');
    await history.load();
  };
  return (
    <Dialog title={t.history.deleteTitle} onClose={onClose}>
      <p>{t.history.deleteText(one.title)}</p>
      <div class="row end">
        <button type="button" class="button" autoFocus onClick={onClose}>{t.app.cancel}</button>
        <button type="button" class="button bad" onClick={() => void remove()}>{t.history.delete}</button>
      </div>
    </Dialog>
  );
}
