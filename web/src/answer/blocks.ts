// An answer's Markdown in blocks. Text only grows: blocks that have ended are kept, and only the last one is read
// again. No HTML is ever made of it.

import { Marked, type Token, type TokensList } from 'marked';

export type { Token };

export interface Block {
  /** Where it begins in the text. */
  start: number;
  raw: string;
  token: Token;
}

const reader = new Marked({
  gfm: true,
  extensions: [
    {
      name: 'math',
      level: 'block',
      // It must find two dollars only: a single one would cut paragraphs at every price.
      start: (source) => source.indexOf('$$'),
      tokenizer(source) {
        const found = /^ {0,3}\$\$([\s\S]+?)\$\$[ \t]*(?:\n|$)/.exec(source);
        return found ? { type: 'math', raw: found[0], text: found[1]!.trim(), display: true } : undefined;
      },
    },
    {
      name: 'math',
      level: 'inline',
      start: (source) => source.indexOf('$'),
      tokenizer(source) {
        const found = /^\$(?![\s$])((?:[^$\\\n]|\\[^\n])+?)(?<!\s)\$(?!\d)/.exec(source);
        return found ? { type: 'math', raw: found[0], text: found[1]!, display: false } : undefined;
      },
    },
  ],
});

export class Blocks {
  #text = '';
  #blocks: Block[] = [];

  /** The blocks of `text`; those before the last are the very same as before where the text has only grown. */
  read(text: string): Block[] {
    if (text === this.#text) return this.#blocks;
    const last = text.startsWith(this.#text) ? this.#blocks.findLastIndex(({ token }) => token.type !== 'space') : -1;
    const kept = last > 0 ? this.#blocks.slice(0, last) : [];
    const from = kept.length > 0 ? this.#blocks[last]!.start : 0;
    this.#text = text;
    this.#blocks = [...kept, ...blocks(text, from)];
    return this.#blocks;
  }
}

function blocks(text: string, from: number): Block[] {
  let start = from;
  let tokens: TokensList | Token[];
  try {
    tokens = reader.lexer(text.slice(from));
  } catch {
    // Nesting without end, say: shown as it came.
    const raw = text.slice(from);
    tokens = [{ type: 'html', raw, text: raw } as Token];
  }
  // What a token was read from is not always written as it stands, so ends are where the next one begins.
  const starts = tokens.map((token) => {
    const found = text.indexOf(token.raw, start);
    if (found >= 0) start = found + token.raw.length;
    return found >= 0 ? found : start;
  });
  starts[0] = from;
  return tokens.map((token, at) => ({ start: starts[at]!, raw: text.slice(starts[at], starts[at + 1]), token }));
}
