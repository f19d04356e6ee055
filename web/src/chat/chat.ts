// The conversation that is open: its turns, the answer that is coming, and what the reader wishes for the next one.

import { answerOf, Growing, type Answer } from '../answer/answer.ts';
import { AnswerView } from '../answer/shown.ts';
import { api, type Chunk, type Completion, type Conversation, Failure, type Options, type Routing, type Turn } from '../api.ts';
import { Changing } from '../changing.ts';
import { type Chosen, said } from '../conversation.ts';
import { fleet } from '../fleet.ts';
import { history } from '../history/history.ts';
import { texts } from '../language.ts';
import { notes } from '../parts/notes.tsx';
import { pause } from '../pause.ts';
import { address } from '../routes.ts';
import { events } from '../stream.ts';

/** How often a turn that another page asks for is looked at again. */
const POLL_MS = 2000;

/** As much of what was said before as the router looks at. */
const EARLIER_MAX = 62;

/** As much of a conversation's first question as it is called by. */
const TITLE_MAX = 80;

/** An answer that is coming. Only its own turn is drawn again for each of its words. */
export class Live extends Changing {
  readonly growing = new Growing();
  readonly controller = new AbortController();
  #drawing = false;

  take(chunk: Chunk): void {
    this.growing.take(chunk);
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.changed();
    });
  }
}

/** A question before it is sent. */
export interface Draft {
  text: string;
  parent: string | null;
}

/** A draft of which the reader sees who would see it; none known yet while `routing` is null. */
export interface Pending extends Draft {
  routing: Routing | null;
  failed: boolean;
  /** Sending needs the reader's consent, rather than the reader having asked who would see it. */
  needed: boolean;
}

/** What the panel shows, of which turn. */
export interface Shown {
  turn: string;
  part: 'considered' | 'sources' | 'receipt';
  source: number | null;
}

/** Whom the next question goes to: these only, or all but those. */
export interface Wishes {
  only: Set<string>;
  exclude: Set<string>;
}

const answers = new WeakMap<Completion, Answer>();

export class Chat extends Changing {
  id: string | null = null;
  shared = false;
  state: 'ready' | 'loading' | 'missing' | 'failed' = 'ready';
  title = '';
  share: string | null = null;
  turns: readonly Turn[] = [];
  chosen: Chosen = new Map();
  live: Live | null = null;
  liveTurn: string | null = null;
  pending: Pending | null = null;
  failure: Failure | null = null;
  /** What the composer is to hold: a question that was refused, or an example. */
  draft: Draft | null = null;
  panel: Shown | null = null;
  wishes: Wishes = { only: new Set(), exclude: new Set() };
  consent = new Set<string>();
  /** What is fetched for the conversation that is open ends with it. */
  #opened = new AbortController();
  #poll = 0;

  /** Shows the conversation `id`, or an empty one. */
  async open(id: string | null, token?: string): Promise<void> {
    if (!token && id !== null && id === this.id) return;
    this.#reset();
    this.id = id;
    this.shared = token !== undefined;
    if (id === null && !token) return this.changed();
    this.state = 'loading';
    this.changed();
    const { signal } = this.#opened;
    const drawn = AnswerView.load();
    try {
      const found = await (token ? api.shared(token, signal) : api.conversation(id!, signal));
      await drawn;
      // Reading a long conversation takes as long as drawing it.
      await pause();
      signal.throwIfAborted();
      this.#take(found);
    } catch (error) {
      if (signal.aborted) return;
      this.state = error instanceof Failure && error.status !== 0 ? 'missing' : 'failed';
    }
    this.changed();
  }

  /** The answer of `turn`, as far as it has one. */
  answer(turn: Turn): Answer | null {
    if (!turn.answer) return null;
    const known = answers.get(turn.answer);
    if (known) return known;
    const answer = answerOf(turn.answer);
    answers.set(turn.answer, answer);
    return answer;
  }

  options(): Options {
    return { only: [...this.wishes.only], exclude: [...this.wishes.exclude], consent: [...this.consent] };
  }

  /** Sends a draft, unless somebody who would see it asks for consent: then the reader is asked first. */
  async submit(draft: Draft): Promise<void> {
    if (this.live) return;
    const { signal } = this.#opened;
    // Where it is not known who asks for consent, the router says it.
    const missing = fleet.asksConsent || fleet.state !== 'there' ? await this.#missing(draft) : null;
    if (signal.aborted) return;
    if (missing) {
      this.pending = { ...draft, routing: missing, failed: false, needed: true };
      return this.changed();
    }
    await this.ask(draft);
  }

  /** Shows who would see `draft`, without asking anybody. */
  async look(draft: Draft): Promise<void> {
    this.pending = { ...draft, routing: null, failed: false, needed: false };
    this.changed();
    const routing = await this.#preview(draft);
    if (!this.pending || this.pending.text !== draft.text) return;
    this.pending = { ...this.pending, routing, failed: routing === null };
    this.changed();
  }

  async #preview({ text, parent }: Draft): Promise<Routing | null> {
    const turns = [...said(this.turns, parent).slice(-EARLIER_MAX), { role: 'user' as const, text }];
    const routing = await api.preview(turns, this.options()).catch(() => null);
    fleet.know(routing?.considered ?? []);
    return routing;
  }

  async #missing(draft: Draft): Promise<Routing | null> {
    const routing = await this.#preview(draft);
    return routing?.considered.some(({ status }) => status === 'consent_missing') ? routing : null;
  }

  /** Sends a question, and takes the answer as it comes. */
  async ask({ text, parent }: Draft): Promise<void> {
    if (this.live) return;
    const live = new Live();
    const { wishes } = this;
    const options = this.options();
    const provisional: Turn = { id: 'new', parent, question: text, created_at_ms: Date.now(), state: 'running', answer: null, error: null, feedback: null };
    Object.assign(this, { live, liveTurn: 'new', pending: null, failure: null, draft: null });
    this.wishes = { only: new Set(), exclude: new Set() };
    this.title ||= text.slice(0, TITLE_MAX);
    this.turns = [...this.turns, provisional];
    this.#choose(parent, 'new');
    this.changed();
    // It comes while the question is under way, so that nothing moves when the answer is there.
    const drawn = AnswerView.load();
    try {
      if (this.id === null) await this.#begin(live.controller.signal);
      const response = await api.ask(this.id!, { parent, text, options }, live.controller.signal);
      await drawn;
      await this.#stream(response, live);
      notes.tell(texts().turn.ready);
    } catch (error) {
      if (this.live === live) this.#broke(error, live, { text, parent }, wishes);
    }
    if (this.live === live) this.live = this.liveTurn = null;
    this.changed();
    void history.load();
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const { id } = await api.begin(signal);
    signal.throwIfAborted();
    this.id = id;
    address.go(`/c/${id}`, 'replace');
  }

  async #stream(response: Response, live: Live): Promise<void> {
    for await (const event of events(response.body!)) {
      const chunk = event as Chunk;
      if (this.live !== live) return;
      if (chunk.error) throw new Failure(200, chunk.error.message, chunk.error.code ?? '');
      if (chunk.turn) this.#name(chunk.turn);
      else {
        live.take(chunk);
        const ended = chunk.choices?.[0]?.finish_reason && chunk.consilium;
        if (ended) this.#end({ state: 'done' }, live, { citations: chunk.citations ?? [], consilium: ended });
      }
    }
  }

  /** The turn that is being answered has its name now. */
  #name({ id, created_at_ms }: NonNullable<Chunk['turn']>): void {
    const turn = this.turns.find((one) => one.id === this.liveTurn);
    if (!turn) return;
    this.turns = this.turns.map((one) => (one === turn ? { ...one, id, created_at_ms } : one));
    this.#choose(turn.parent, id);
    this.liveTurn = id;
    this.changed();
  }

  #end(changes: Partial<Turn>, live: Live, rest: Omit<Completion, 'choices'> = { consilium: {} }): void {
    const { answer } = live.growing;
    const completion = { choices: [{ message: { content: answer.text } }], ...rest };
    if (answer.text || answer.routing) answers.set(completion, answer);
    this.change(this.liveTurn!, { ...changes, answer: answer.text || answer.routing ? completion : null });
  }

  #broke(error: unknown, live: Live, draft: Draft, wishes: Wishes): void {
    const { aborted } = live.controller.signal;
    const failure = error instanceof Failure ? error : new Failure(0, '');
    if (this.liveTurn === 'new') {
      // The router took no turn down: the question goes back to where it was written, for those it was meant for.
      this.turns = this.turns.filter(({ id }) => id !== 'new');
      this.failure = aborted ? null : failure;
      this.draft = draft;
      this.wishes = wishes;
    } else if (aborted) this.#end({ state: 'stopped' }, live);
    else this.#end({ state: 'failed', error: failure.status === 0 ? null : failure }, live);
  }

  /** Puts `draft` where questions are written. */
  put(draft: Draft): void {
    this.draft = draft;
    this.changed();
  }

  /** Ends the answer that is coming; what was said is kept. */
  stop(): void {
    this.live?.controller.abort();
  }

  change(id: string, changes: Partial<Turn>): void {
    this.turns = this.turns.map((turn) => (turn.id === id ? { ...turn, ...changes } : turn));
    this.changed();
  }

  /** Shows the version `id` of the turns after `parent`. */
  choose(parent: string | null, id: string): void {
    this.#choose(parent, id);
    this.changed();
  }

  #choose(parent: string | null, id: string): void {
    this.chosen = new Map(this.chosen).set(parent ?? '', id);
  }

  show(panel: Shown | null): void {
    this.panel = panel;
    this.changed();
  }

  #take(conversation: Conversation): void {
    this.turns = conversation.turns;
    this.title = conversation.title;
    this.share = conversation.share ?? null;
    this.state = 'ready';
    if (!this.shared && this.turns.some(({ state }) => state === 'running')) this.#later();
  }

  #later(): void {
    this.#poll = window.setTimeout(() => void this.#again(), POLL_MS);
  }

  async #again(): Promise<void> {
    const { signal } = this.#opened;
    const found = this.live ? null : await api.conversation(this.id!, signal).catch(() => null);
    if (signal.aborted) return;
    if (!found || this.live) return this.#later();
    this.#take(found);
    this.changed();
  }

  #reset(): void {
    clearTimeout(this.#poll);
    this.#opened.abort();
    this.#opened = new AbortController();
    // The router gives the question up when its reader leaves, and keeps what was said.
    this.stop();
    const nothing = { live: null, liveTurn: null, pending: null, failure: null, draft: null, panel: null, share: null };
    Object.assign(this, { ...nothing, turns: [], chosen: new Map(), state: 'ready', title: '' });
    this.consent = new Set();
    this.wishes = { only: new Set(), exclude: new Set() };
  }
}

export const chat = new Chat();
