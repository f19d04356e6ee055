// Institutions, each in a folder of its own.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run, Server } from "./process.ts";

/** One step of a scripted answer, as `specialist.toml` has it. */
export type Step = { passage: string } | { say: string } | "stall" | "fail";

/** A passage of a corpus. */
export interface Passage {
  title: string;
  text: string;
  url?: string;
  section?: string;
  license?: string;
}

/** What an institution says of itself, and what it answers. */
export interface Institution {
  id: string;
  title?: string;
  institution?: string;
  description?: string;
  notice?: string;
  license?: string;
  intendedUse?: string;
  retention?: string;
  asksConsent?: boolean;
  exampleQuestions?: string[];
  /** With a corpus, answers are passages of it. */
  corpus?: Passage[];
  /** Without, they follow this script. */
  steps?: Step[];
}

// TOML's basic strings are those of JSON, but for this one character.
const quoted = (text: string) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");

function step(step: Step): string {
  if (typeof step === "string") return quoted(step);
  const [[kind, text]] = Object.entries(step);
  return `{ ${kind} = ${quoted(text)} }`;
}

function settings(about: Institution): string {
  const { id } = about;
  const lines = [
    `id = ${quoted(id)}`,
    `title = ${quoted(about.title ?? `About ${id}`)}`,
    `institution = ${quoted(about.institution ?? `Institute of ${id}`)}`,
    `description = ${quoted(about.description ?? `All about ${id}.`)}`,
    `license = ${quoted(about.license ?? "CC0-1.0")}`,
    `intended_use = ${quoted(about.intendedUse ?? "")}`,
    `retention = ${quoted(about.retention ?? "")}`,
    `notice = ${quoted(about.notice ?? "")}`,
    `asks_consent = ${about.asksConsent ?? false}`,
    `example_questions = [${(about.exampleQuestions ?? []).map(quoted).join(", ")}]`,
    'listen = "127.0.0.1:0"',
    'key = "specialist.key"',
  ];
  if (about.corpus === undefined) {
    const steps = (about.steps ?? []).map(step).join(", ");
    lines.push('encoder = { kind = "none" }', `generator = { kind = "scripted", steps = [${steps}] }`);
  } else {
    lines.push('encoder = { kind = "hashed" }', 'corpus = "corpus"');
  }
  return `${lines.join("\n")}\n`;
}

/** A running specialist, and the folder of its institution. */
export class Specialist {
  private constructor(
    readonly id: string,
    private readonly server: Server,
    private readonly folder: string,
  ) {}

  /** Starts an institution's specialist on a free port. */
  static async start(about: Institution): Promise<Specialist> {
    const folder = mkdtempSync(join(tmpdir(), "consilium-institution-"));
    mkdirSync(join(folder, "corpus"));
    const file = join(folder, "specialist.toml");
    writeFileSync(file, settings(about));
    await run("specialist", ["keygen", "--out", join(folder, "specialist.key")]);
    const passages = about.corpus ?? [];
    const lines = passages.map((passage, at) =>
      JSON.stringify({ id: `${at}`, url: `https://example.org/${about.id}/${at}`, license: "CC0-1.0", ...passage }),
    );
    writeFileSync(join(folder, "corpus/all.jsonl"), lines.map((line) => `${line}\n`).join(""));
    const server = await Server.start(about.id, "specialist", ["serve", "--config", file]);
    return new Specialist(about.id, server, folder);
  }

  get url(): string {
    return this.server.url;
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await this.server.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
