// A block on the page: its tree, with every word inside an element that names its segment. Nothing is ever set as HTML.

import { Component, type ComponentChildren } from 'preact';

import { texts } from '../language.ts';
import type { Block } from './blocks.ts';
import { MathView } from './math-view.tsx';
import { type Cell, decoded, type Node, nodes } from './nodes.ts';
import { alike, MARK, type Segment } from './segments.ts';

interface Props {
  block: Block;
  /** Those that overlap with the block. */
  segments: Segment[];
  onSource: (source: number) => void;
}

/** A block is drawn again only when it or what is said of it has changed. */
export class BlockView extends Component<Props> {
  #block: Block | null = null;
  #tree: Node[] = [];

  override shouldComponentUpdate(next: Props): boolean {
    return next.block !== this.props.block || !alike(next.segments, this.props.segments);
  }

  override render({ block, segments, onSource }: Props) {
    if (block !== this.#block) {
      this.#tree = nodes(block);
      this.#block = block;
    }
    return <Drawn tree={this.#tree} segments={segments} onSource={onSource} />;
  }
}

interface Drawing {
  segments: Segment[];
  onSource: (source: number) => void;
}

function Drawn({ tree, ...drawing }: Drawing & { tree: Node[] }) {
  return <>{tree.map((node) => draw(node, drawing))}</>;
}

function draw(node: Node, drawing: Drawing): ComponentChildren {
  switch (node.kind) {
    case 'text':
      return pieces(node, drawing);
    case 'math':
      return <MathView tex={node.tex} display={node.display} />;
    case 'rule':
      return <hr />;
    case 'break':
      return <br />;
    case 'link':
      return (
        <a href={node.href} rel="noopener noreferrer nofollow" target="_blank" referrerpolicy="no-referrer" title={node.href}>
          {node.children.map((child) => draw(child, drawing))}
        </a>
      );
    case 'table':
      return <Table {...node} {...drawing} />;
    case 'element':
      return element(node, drawing);
  }
}

function element({ tag: Tag, children, first }: Node & { kind: 'element' }, drawing: Drawing): ComponentChildren {
  const inside = children.map((child) => draw(child, drawing));
  if (Tag === 'pre') return <pre dir="ltr" tabIndex={0}><code>{inside}</code></pre>;
  if (Tag === 'ol') return <ol start={first} dir="auto">{inside}</ol>;
  const isBlock = !['strong', 'em', 'del', 'code'].includes(Tag);
  return isBlock ? <Tag dir="auto">{inside}</Tag> : <Tag>{inside}</Tag>;
}

function Table({ head, rows, ...drawing }: Drawing & { head: Cell[]; rows: Cell[][] }) {
  const inside = (cell: Cell) => cell.children.map((child) => draw(child, drawing));
  return (
    <div class="table" role="region" aria-label={texts().turn.table} tabIndex={0}>
      <table dir="auto">
        <thead><tr>{head.map((cell) => <th scope="col" class={cell.align ?? ''}>{inside(cell)}</th>)}</tr></thead>
        <tbody>{rows.map((row) => <tr>{row.map((cell) => <td class={cell.align ?? ''}>{inside(cell)}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}

/** A text, cut where its segments are. */
function pieces({ text, start, end }: { text: string; start: number; end: number }, { segments, onSource }: Drawing): ComponentChildren[] {
  if (end - start !== text.length) return [decoded(text)];
  const cut: ComponentChildren[] = [];
  let at = start;
  for (const segment of segments) {
    const to = Math.min(segment.end, end);
    if (to <= at) continue;
    if (segment.start > at) cut.push(decoded(text.slice(at - start, Math.min(segment.start, end) - start)));
    const from = Math.max(segment.start, at);
    if (from >= end) break;
    cut.push(<Piece segment={segment} text={text.slice(from - start, to - start)} onSource={onSource} />);
    at = to;
  }
  if (at < end) cut.push(decoded(text.slice(at - start)));
  return cut;
}

function Piece({ segment, text, onSource }: { segment: Segment; text: string; onSource: (source: number) => void }) {
  const { span, specialist, disputed, also } = segment;
  if (specialist === null) return <span class="own" data-span={span}>{marked(text, onSource)}</span>;
  const kinds = ['words', disputed ? 'disputed' : '', also.length > 0 ? 'agreed' : ''];
  return <span class={kinds.filter(Boolean).join(' ')} data-span={span}>{decoded(text)}</span>;
}

/** The router's words, where marks of sources open them. */
function marked(text: string, onSource: (source: number) => void): ComponentChildren[] {
  return text.split(new RegExp(`(${MARK.source})`)).flatMap((part, at, parts) => {
    // A mark stays on the line of the words that it is for.
    if (at % 3 === 0) return decoded(at + 1 < parts.length ? part.replace(/ $/, '\u202f') : part);
    if (at % 3 === 1) return [];
    const source = Number(parts[at]);
    return (
      <button type="button" class="mark" data-source={source} aria-label={texts().turn.source(source)} onClick={() => onSource(source)}>
        {source}
      </button>
    );
  });
}
