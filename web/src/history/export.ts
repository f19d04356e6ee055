// A conversation as a file of the reader's.

import { api } from '../api.ts';
import { chat } from '../chat/chat.ts';
import { shown } from '../conversation.ts';
import { language, texts } from '../language.ts';
import { save } from '../parts/save.ts';
import { markdown } from './markdown.ts';

/** Saves the conversation `id`: as JSON all there is, with what opens its receipts; as Markdown the versions that are shown. */
export async function exported(id: string, format: 'markdown' | 'json'): Promise<void> {
  const conversation = await api.conversation(id);
  if (format === 'json') return save(`conversation-${id}.json`, 'application/json', `${JSON.stringify(conversation, null, 2)}\n`);
  const { title, turns } = conversation;
  const path = shown(turns, chat.id === id ? chat.chosen : new Map()).map(({ turn }) => turn);
  const time = new Intl.DateTimeFormat(language.code, { dateStyle: 'medium', timeStyle: 'short' });
  save(`conversation-${id}.md`, 'text/markdown', markdown(title, path, texts(), (ms) => time.format(ms)));
}
