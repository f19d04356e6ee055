// Whose words are under the pointer, the finger or the focus, and which passage they are from.

import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

import { texts } from '../language.ts';
import { Icon } from '../parts/icons.tsx';
import { type Answer, speaker, unitsOf } from './answer.ts';
import type { Segment } from './segments.ts';

const OPEN_MS = 220;
const CLOSE_MS = 260;
/** As much of a passage as a card shows. */
const PASSAGE_MAX = 240;
const CARD_WIDTH = 340;

interface Place {
  span: number;
  left: number;
  top: number;
  above: boolean;
}

interface Props {
  root: RefObject<HTMLElement | null>;
  answer: Answer;
  segments: Segment[];
  onSource: (source: number) => void;
}

export function Hover({ root, answer, segments, onSource }: Props) {
  const [place, setPlace] = useState<Place | null>(null);
  useLayoutEffect(() => watch(root.current!, setPlace), []);
  useEffect(() => {
    const shown = place ? root.current!.querySelectorAll(`[data-span="${place.span}"]`) : [];
    for (const piece of shown) piece.classList.add('shown');
    return () => {
      for (const piece of shown) piece.classList.remove('shown');
    };
  }, [place?.span]);
  const found = place && segments.filter((segment) => segment.span === place.span);
  if (!place || !found || found.length === 0) return null;
  return <Card place={place} answer={answer} found={found} onSource={onSource} />;
}

function Card({ place, answer, found, onSource }: { place: Place; answer: Answer; found: Segment[]; onSource: (source: number) => void }) {
  const t = texts().words;
  const span = answer.spans[place.span];
  const who = speaker(answer, found[0]!.specialist ?? '');
  const citation = answer.citations.find(({ number }) => number === span?.citation?.source);
  const unit = unitsOf(citation?.text ?? '');
  const passage = citation && span?.citation ? citation.text.slice(unit(span.citation.start), unit(span.citation.end)) : '';
  if (found[0]!.specialist === null) return <CardOf place={place}><p><b>{texts().turn.own}</b></p><p class="grey small">{t.own}</p></CardOf>;
  const also = [...new Set(found.flatMap((segment) => segment.also))].map((id) => speaker(answer, id).institution || id);
  return (
    <CardOf place={place}>
      <p class="card-who"><b dir="auto">{who.title}</b> <span class="grey" dir="auto">{who.institution}</span></p>
      {passage && <blockquote dir="auto">{passage.length > PASSAGE_MAX ? `${passage.slice(0, PASSAGE_MAX)}…` : passage}</blockquote>}
      {citation ? (
        <button type="button" class="card-source" onClick={() => onSource(citation.number)}>
          <span class="mark still" aria-hidden="true">{citation.number}</span>
          <span>{citation.title || citation.source_id}</span>
          <Icon name="forth" size={14} />
        </button>
      ) : (
        <p class="grey small">{t.noSource}</p>
      )}
      {also.length > 0 && <p class="small good"><Icon name="check" size={14} />{t.also(also.join(', '))}</p>}
      {found.some(({ disputed }) => disputed) && <p class="small warn"><Icon name="alert" size={14} />{t.differs}</p>}
    </CardOf>
  );
}

function CardOf({ place, children }: { place: Place; children: ComponentChildren }) {
  return (
    <div class={`card ${place.above ? 'above' : ''}`} role="tooltip" style={{ left: `${place.left}px`, top: `${place.top}px` }}>
      {children}
    </div>
  );
}

/** Calls `set` whenever other words are looked at; gives what ends that. */
function watch(root: HTMLElement, set: (place: Place | null) => void): () => void {
  let timer = 0;
  const later = (place: Place | null, ms: number) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => set(place), ms);
  };
  const over = (event: PointerEvent) => {
    if (event.pointerType !== 'mouse') return;
    const target = event.target as Element;
    if (target.closest('.card')) return clearTimeout(timer);
    const words = wordsOf(root, target);
    later(words && placed(root, words, event.clientX, event.clientY), words ? OPEN_MS : CLOSE_MS);
  };
  const leave = (event: PointerEvent) => event.pointerType === 'mouse' && later(null, CLOSE_MS);
  const click = (event: MouseEvent) => {
    const target = event.target as Element;
    const words = target.closest('button, a') ? null : target.closest<HTMLElement>('[data-span]');
    if (words && getSelection()?.isCollapsed) later(placed(root, words, event.clientX, event.clientY), 0);
  };
  const focus = (event: FocusEvent) => {
    const words = wordsOf(root, event.target as Element);
    if (words && (event.target as Element).matches(':focus-visible')) later(placed(root, words), 0);
  };
  const blur = (event: FocusEvent) => !(event.relatedTarget as Element | null)?.closest?.('.card') && later(null, CLOSE_MS);
  const away = (event: Event) => !root.contains(event.target as globalThis.Node) && later(null, 0);
  const key = (event: KeyboardEvent) => event.key === 'Escape' && later(null, 0);
  const on: [EventTarget, string, any][] = [
    [root, 'pointerover', over],
    [root, 'pointerleave', leave],
    [root, 'click', click],
    [root, 'focusin', focus],
    [root, 'focusout', blur],
    [document, 'pointerdown', away],
    [document, 'keydown', key],
  ];
  for (const [target, name, listener] of on) target.addEventListener(name, listener);
  return () => {
    clearTimeout(timer);
    for (const [target, name, listener] of on) target.removeEventListener(name, listener);
  };
}

/** The words that `target` is of; those that a mark of a source stands behind. */
function wordsOf(root: HTMLElement, target: Element): HTMLElement | null {
  if (!target.closest('.mark[data-source]')) return target.closest<HTMLElement>('[data-span]');
  const before = [...root.querySelectorAll<HTMLElement>('.words')].filter(
    (one) => one.compareDocumentPosition(target) & document.DOCUMENT_POSITION_FOLLOWING,
  );
  return before.at(-1) ?? null;
}

/** Below the line that is looked at, or above it where there is no room. */
function placed(root: HTMLElement, words: HTMLElement, x?: number, y?: number): Place {
  const frame = root.getBoundingClientRect();
  const lines = [...words.getClientRects()];
  const line = lines.find((one) => y !== undefined && one.top <= y && y <= one.bottom) ?? lines.at(-1) ?? frame;
  const width = Math.min(CARD_WIDTH, frame.width);
  const left = Math.max(0, Math.min((x ?? line.left) - frame.left - 24, frame.width - width));
  const above = line.bottom + 220 > innerHeight && line.top > 260;
  return { span: Number(words.dataset.span), left, top: (above ? line.top : line.bottom) - frame.top, above };
}
