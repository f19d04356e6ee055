// A block as a tree whose texts know where in the answer they stand. Pure: what is drawn of it is decided elsewhere.
//
// Markdown's reader says of each token which source it was read from, not where that stands. Tokens come in the order
// of their sources, so each is looked for behind the one before. Lines in lists and quotes lost what stood before
// them, so a text that is not found whole is looked for line by line.

import type { Block, Token } from './blocks.ts';

export type Tag = 'strong' | 'em' | 'del' | 'code' | 'p' | 'blockquote' | 'ul' | 'ol' | 'li' | 'pre' | 'h3' | 'h4' | 'h5' | 'h6';

export type Node =
  | { kind: 'text'; text: string; start: number; end: number }
  | { kind: 'element'; tag: Tag; children: Node[]; first?: number; language?: string }
  | { kind: 'link'; href: string; children: Node[] }
  | { kind: 'math'; tex: string; display: boolean; start: number; end: number }
  | { kind: 'table'; head: Cell[]; rows: Cell[][] }
  | { kind: 'rule' | 'break' };

export interface Cell {
  align: 'center' | 'left' | 'right' | null;
  children: Node[];
}

// The deepest that a tree may be; what is deeper is shown as its source.
const DEPTH_MAX = 24;

/** The tree of `block`. */
export function nodes(block: Block): Node[] {
  return new Reader(block).one(block.token, 0);
}

class Reader {
  readonly #source: string;
  readonly #start: number;
  #at = 0;

  constructor({ raw, start }: Block) {
    this.#source = raw;
    this.#start = start;
  }

  all(tokens: Token[] | undefined, depth: number): Node[] {
    return (tokens ?? []).flatMap((token) => this.one(token, depth));
  }

  one(token: Token, depth: number): Node[] {
    const found = this.#source.indexOf(token.raw, this.#at);
    if (found >= 0) this.#at = found;
    if (depth > DEPTH_MAX) return this.#text(token.raw);
    const made = this.#make(token as Token & Record<string, any>, depth + 1);
    if (found >= 0) this.#at = found + token.raw.length;
    return made;
  }

  #make(token: Token & Record<string, any>, depth: number): Node[] {
    const inner = () => this.all(token.tokens, depth);
    const element = (tag: Tag): Node[] => [{ kind: 'element', tag, children: inner() }];
    switch (token.type) {
      case 'space':
        return [];
      case 'paragraph':
        return element('p');
      case 'heading':
        return element((['h3', 'h4', 'h5'] as const)[token.depth - 1] ?? 'h6');
      case 'blockquote':
      case 'strong':
      case 'em':
      case 'del':
        return element(token.type);
      case 'text':
        return token.tokens ? inner() : this.#text(token.raw);
      case 'escape':
        this.#at += 1;
        return this.#text(token.text);
      case 'codespan':
        return [{ kind: 'element', tag: 'code', children: this.#text(token.text) }];
      case 'code':
        return [{ kind: 'element', tag: 'pre', children: this.#text(token.text), language: token.lang ?? '' }];
      case 'br':
        return [{ kind: 'break' }];
      case 'hr':
        return [{ kind: 'rule' }];
      case 'math':
        return [this.#math(token)];
      case 'link':
        return [link(token.href, token.tokens?.length ? inner() : this.#text(token.text))];
      case 'image':
        return this.#text(token.text || token.href);
      case 'list':
        return [this.#list(token, depth)];
      case 'table':
        return [this.#table(token, depth)];
      case 'checkbox':
        return this.#text(token.checked ? '\u2611 ' : '\u2610 ');
      case 'html':
        return depth === 1 ? [{ kind: 'element', tag: 'p', children: this.#text(token.raw) }] : this.#text(token.raw);
      default:
        return depth === 1 ? [{ kind: 'element', tag: 'p', children: this.#text(token.raw) }] : this.#text(token.raw);
    }
  }

  #list(token: Record<string, any>, depth: number): Node {
    const items = token.items.map((item: Token & Record<string, any>): Node => {
      const found = this.#source.indexOf(item.raw, this.#at);
      if (found >= 0) this.#at = found;
      const children = this.all(item.tokens, depth + 1);
      if (found >= 0) this.#at = found + item.raw.length;
      return { kind: 'element', tag: 'li', children };
    });
    const first = token.ordered ? Number(token.start) : 1;
    return { kind: 'element', tag: token.ordered ? 'ol' : 'ul', children: items, first };
  }

  #table(token: Record<string, any>, depth: number): Node {
    const cell = (one: { align: Cell['align']; tokens: Token[] }): Cell => ({ align: one.align, children: this.all(one.tokens, depth) });
    return { kind: 'table', head: token.header.map(cell), rows: token.rows.map((row: any[]) => row.map(cell)) };
  }

  #math(token: Record<string, any>): Node {
    const start = this.#start + this.#at;
    return { kind: 'math', tex: token.text, display: token.display, start, end: start + token.raw.length };
  }

  /** `text` with where it stands, in as many pieces as it takes. */
  #text(text: string): Node[] {
    const lines = this.#source.indexOf(text, this.#at) >= 0 ? [text] : text.split(/(?<=\n)/);
    return lines.map((line) => {
      const found = this.#source.indexOf(line.replace(/\n$/, ''), this.#at);
      const at = found < 0 ? this.#at : found;
      const length = found < 0 ? 0 : line.length;
      this.#at = at + length;
      return { kind: 'text', text: line, start: this.#start + at, end: this.#start + at + length };
    });
  }
}

function link(href: string, children: Node[]): Node {
  return isSafe(href) ? { kind: 'link', href, children } : { kind: 'element', tag: 'em', children };
}

/** Whether `href` leads to a page or a mailbox, and to nothing that runs. */
export function isSafe(href: string): boolean {
  return /^(?:https?:\/\/|mailto:)[^\s]+$/i.test(href);
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/** `text` with the character references that Markdown takes for characters. */
export function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp));/g, (whole, decimal, hex, name) => {
    if (name) return NAMED[name]!;
    const code = decimal ? Number(decimal) : parseInt(hex, 16);
    const allowed = code > 31 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return allowed ? String.fromCodePoint(code) : whole;
  });
}
