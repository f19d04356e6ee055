// What the router says, and how it is asked. Shapes are those of the router's HTTP interface; offsets in them count
// Unicode code points.

export interface Candidate {
  id: string;
  title: string;
  institution: string;
  /** How likely it is that it covers the question, 0 to 1: what the threshold is about. */
  confidence: number;
  status: string;
  asks_consent: boolean;
  probed?: boolean;
  failure?: string | null;
}

export interface Routing {
  verdict: 'ask' | 'abstain';
  confidence: number;
  threshold: number;
  general: boolean;
  seen_by: string[];
  earlier_turns: number[];
  history?: { used: boolean };
  considered: Candidate[];
}

/** A range of a source's passage. */
export interface Cited {
  source: number;
  start: number;
  end: number;
}

export interface Range {
  start: number;
  end: number;
}

export interface Span extends Range {
  specialist: string | null;
  citation: Cited | null;
}

export interface Citation {
  number: number;
  specialist: string;
  source_id: string;
  title: string;
  url: string;
  license: string;
  section: string | null;
  page: number | null;
  text: string;
}

export interface Agreement {
  range: Range;
  specialist: string;
  citation: Cited | null;
}

export interface Disagreement {
  earlier: Range;
  later: Range;
  difference: string;
}

export interface Receipt {
  id: string;
  url: string;
  capability?: string;
}

/** What is ours in a completion or in a chunk of one. */
export interface Ours {
  routing?: Routing;
  receipt?: Receipt;
  span?: Span;
  citation?: Citation;
  agreement?: Agreement;
  disagreement?: Disagreement;
  spans?: Span[];
  agreements?: Agreement[];
  disagreements?: Disagreement[];
  left_out?: { specialist: string; repeated_bytes: number; outranked_bytes: number }[];
  notices?: { specialist: string; text: string }[];
  reason?: string;
}

export interface Completion {
  choices: { message: { content: string } }[];
  citations?: Citation[];
  consilium: Ours;
}

export interface Chunk {
  choices?: { delta: { content?: string }; finish_reason: string | null }[];
  citations?: Citation[];
  consilium?: Ours;
  turn?: { id: string; parent: string | null; created_at_ms: number };
  error?: ErrorBody;
}

export interface Feedback {
  rating: 'up' | 'down';
  reason: string | null;
}

export interface Turn {
  id: string;
  parent: string | null;
  question: string;
  created_at_ms: number;
  state: 'running' | 'done' | 'stopped' | 'failed';
  answer: Completion | null;
  error: ErrorBody | null;
  feedback: Feedback | null;
}

export interface Summary {
  id: string;
  title: string;
  folder: string | null;
  pinned: boolean;
  shared: boolean;
  updated_at_ms: number;
  snippet: Snippet | null;
}

/** A match with what stands around it. */
export interface Snippet {
  before: string;
  match: string;
  after: string;
}

export interface Conversation {
  id: string;
  title: string;
  folder: string | null;
  pinned: boolean;
  share: string | null;
  turns: Turn[];
}

export interface Options {
  only: string[];
  exclude: string[];
  consent: string[];
}

export type Health = 'up' | 'down' | 'ejected' | 'disabled';

export interface Specialist {
  id: string;
  title: string;
  institution: string;
  description: string;
  example_questions: string[];
  asks_consent: boolean;
  enabled: boolean;
  health: Health;
}

export interface Fleet {
  name: string;
  registered: number;
  up: number;
  asks_consent: boolean;
  /** Who is asked what nobody covers. */
  general: { id: string; title: string } | null;
  specialists: Specialist[];
}

interface ErrorBody {
  message: string;
  type?: string;
  code?: string | null;
}

/** The router said no, or was not there: then `status` is 0. */
export class Failure extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfterSeconds: number | null;

  constructor(status: number, message: string, code = '', retryAfterSeconds: number | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Sends a request; throws a `Failure` unless it succeeds. */
export async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  let response: Response;
  try {
    response = await fetch(path, { method, ...sent, signal: signal ?? null, credentials: 'same-origin' });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure(0, 'offline');
  }
  if (response.ok) return response;
  const { error } = (await response.json().catch(() => ({}))) as { error?: ErrorBody };
  const after = Number(response.headers.get('retry-after')) || null;
  throw new Failure(response.status, error?.message ?? response.statusText, error?.code ?? error?.type ?? '', after);
}

async function json<Body>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Body> {
  const response = await send(method, path, body, signal);
  return (await response.json()) as Body;
}

const at = (id: string) => `/v1/conversations/${encodeURIComponent(id)}`;

/** As many conversations as are listed; older ones are found by searching. */
export const LISTED_MAX = 500;


export const api = {
  list: (query: string, signal?: AbortSignal) =>
    json<{ conversations: Summary[]; retention_days: number }>(
      'GET',
      `/v1/conversations?${new URLSearchParams({ ...(query && { query }), limit: String(LISTED_MAX) })}`,
      undefined,
      signal,
    ),
  begin: (signal: AbortSignal) => json<{ id: string }>('POST', '/v1/conversations', {}, signal),
  conversation: (id: string, signal?: AbortSignal) => json<Conversation>('GET', at(id), undefined, signal),
  change: (id: string, changes: Partial<Pick<Summary, 'title' | 'folder' | 'pinned'>>) => json<Summary>('PATCH', at(id), changes),
  remove: (id: string) => send('DELETE', at(id)),
  share: (id: string) => json<{ token: string }>('POST', `${at(id)}/share`, {}),
  revoke: (id: string) => send('DELETE', `${at(id)}/share`),
  shared: (token: string, signal: AbortSignal) => json<Conversation>('GET', `/v1/shared/${encodeURIComponent(token)}`, undefined, signal),
  ask: (id: string, body: { parent: string | null; text: string; options: Options }, signal: AbortSignal) =>
    send('POST', `${at(id)}/turns`, body, signal),
  rate: (id: string, turn: string, feedback: Feedback | null) =>
    feedback
      ? send('PUT', `${at(id)}/turns/${encodeURIComponent(turn)}/feedback`, feedback)
      : send('DELETE', `${at(id)}/turns/${encodeURIComponent(turn)}/feedback`),
  preview: (turns: { role: 'user' | 'assistant'; text: string }[], options: Options, signal?: AbortSignal) =>
    json<Routing>('POST', '/v1/preview', { turns, options }, signal),
  fleet: (query: string, signal?: AbortSignal) => json<Fleet>('GET', `/v1/fleet?${new URLSearchParams({ query })}`, undefined, signal),
};
