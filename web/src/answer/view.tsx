// An answer as it is read.

import { useMemo, useRef } from 'preact/hooks';

import { texts } from '../language.ts';
import { Icon } from '../parts/icons.tsx';
import { type Answer, citedSources, speaker } from './answer.ts';
import { Blocks } from './blocks.ts';
import { Conflicts } from './conflict.tsx';
import { BlockView } from './draw.tsx';
import { Hover } from './hover.tsx';
import { isUnfinished, type Section, sections } from './sections.ts';
import { readable, segments } from './segments.ts';

interface Props {
  answer: Answer;
  /** More is coming. */
  live: boolean;
  onSource: (source: number) => void;
}

export default function AnswerView({ answer, live, onSource }: Props) {
  const blocks = useRef(new Blocks());
  const root = useRef<HTMLDivElement>(null);
  const { text, spans, agreements, disagreements } = answer;
  const all = useMemo(() => segments(answer), [spans, agreements, disagreements]);
  const plain = useMemo(() => readable(text, all), [text, all]);
  const said = sections(blocks.current.read(plain), all);
  const speakers = new Set(said.map((section) => section.specialist).filter((id) => id !== null));
  return (
    <div class={`answer ${live ? 'live' : ''}`} ref={root}>
      {said.map((section, at) => (
        <SectionView key={section.parts[0]!.block.start} section={section} answer={answer} named={at === 0 && speakers.size > 1} told={said[at + 1]?.specialist === null} onSource={onSource} />
      ))}
      <Conflicts answer={answer} onSource={onSource} />
      <Sources answer={answer} onSource={onSource} />
      <Hover root={root} answer={answer} segments={all} onSource={onSource} />
    </div>
  );
}

function SectionView({ section, answer, named, told, onSource }: { section: Section; answer: Answer; named: boolean; told: boolean; onSource: (source: number) => void }) {
  const t = texts().turn;
  const { specialist, parts, last } = section;
  const { title, institution } = speaker(answer, specialist ?? '');
  const unfinished = specialist !== null && last && isUnfinished(answer, specialist);
  const notices = last ? answer.notices.filter((notice) => notice.specialist === specialist) : [];
  const kind = specialist === null ? 'by-router' : unfinished ? 'said unfinished' : 'said';
  return (
    <section class={kind}>
      {named && specialist !== null && <p class="speaker">{institution || title}</p>}
      {parts.map(({ block, segments }) => (
        <BlockView key={block.start} block={block} segments={segments} onSource={onSource} />
      ))}
      {unfinished && !told && (
        <p class="broke"><Icon name="alert" size={16} />{t.unfinished(title)}</p>
      )}
      {notices.map((notice) => (
        <p class="notice" dir="auto"><Icon name="info" size={16} /><span><b>{t.notice(institution || title)}</b> {notice.text}</span></p>
      ))}
    </section>
  );
}

/** The sources that are cited, and no others. */
function Sources({ answer, onSource }: { answer: Answer; onSource: (source: number) => void }) {
  const cited = citedSources(answer);
  if (cited.length === 0 || answer.reason === null) return null;
  return (
    <ul class="sources" aria-label={texts().panel.sources}>
      {cited.map(({ number, title, page, specialist, license, url }) => (
        <li>
          <button type="button" class="chip" onClick={() => onSource(number)}>
            <b>{number}</b>
            <span class="chip-title">{title || speaker(answer, specialist).title}{page !== null && `, ${texts().panel.page(String(page))}`}</span>
            <span class="grey">{speaker(answer, specialist).institution}</span>
          </button>
          <span class="on-paper small">{[license, url].filter(Boolean).join(', ')}</span>
        </li>
      ))}
    </ul>
  );
}
