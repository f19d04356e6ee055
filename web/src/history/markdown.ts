// A conversation as a Markdown document that can be read without the page. Pure.

import { type Answer, answerOf, citedSources, speaker } from '../answer/answer.ts';
import type { Turn } from '../api.ts';
import type { Texts } from '../language.ts';

/** `title` and the turns of one way through the conversation, in the words of `t`; `when` writes milliseconds as a time. */
export function markdown(title: string, path: readonly Turn[], t: Texts, when: (ms: number) => string): string {
  const turns = path.map((turn) => {
    const answer = turn.answer && answerOf(turn.answer);
    const quoted = inert(turn.question).split('\n').map((line) => `> ${line}`.trimEnd());
    return ['---', `*${when(turn.created_at_ms)}*`, quoted.join('\n'), answer && inert(answer.text).trim(), ended(turn, t), ...(answer ? about(answer, t) : [])];
  });
  return `${[`# ${line(title)}`, ...turns.flat()].filter(Boolean).join('\n\n')}\n`;
}

/** Why an answer is not whole. */
function ended({ state }: Turn, t: Texts): string {
  const why = { running: t.turn.running, stopped: t.turn.stopped, failed: t.turn.failed, done: '' }[state];
  return why && `*${why}*`;
}

/** Whose words they are, where they come from, what their owners add, and by what the receipt is found. */
function about(answer: Answer, t: Texts): string[] {
  const name = (id: string) => line(speaker(answer, id).institution || speaker(answer, id).title);
  const speakers = [...new Set(answer.spans.flatMap(({ specialist }) => specialist ?? []))];
  const sources = citedSources(answer).map(({ number, title, source_id, page, specialist, license, url }) => {
    const place = [line(title || source_id), page !== null && t.panel.page(String(page)), name(specialist), line(license), /^https?:\/\/[^\s<>]+$/i.test(url) && `<${url}>`];
    return `- [${number}] ${place.filter(Boolean).join(', ')}`;
  });
  return [
    speakers.length > 0 ? `${t.turn.answeredBy}: ${speakers.map(name).join(', ')}` : '',
    sources.length > 0 ? `${t.panel.sources}:\n\n${sources.join('\n')}` : '',
    ...answer.notices.map(({ specialist, text }) => `${t.turn.notice(name(specialist))}: ${line(text)}`),
    answer.receipt ? `${t.panel.receipt}: ${answer.receipt.id}` : '',
  ];
}

/** Others' text where only one line may stand. */
function line(text: string): string {
  return inert(text).replace(/\s+/g, ' ').trim();
}

/** Others' text without pictures, HTML and links that act: whatever opens the file must not do anything at their word. */
function inert(text: string): string {
  const links = /\](?=[(:]\s*(?!https?:|mailto:))/gi;
  return text.replaceAll('![', '!\\[').replace(/<(?=[a-z/!?])/gi, '&lt;').replace(links, '\\]');
}
