// Routers, each with a database of its own.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Report } from "../../src/fleet/report.ts";
import { type Institution, Specialist } from "./institution.ts";
import { run, Server } from "./process.ts";

/** Numbers for hashed vectors, as in `tests/federation/harness/router.rs`. */
const CALIBRATION = `temperature = 0.05
confidence_min = 0.5
miss_max = 0.726
by_prototypes = { slope = 100.0, background_weight = 0.5, offset = -10.0 }
by_evidence = { nearness = 100.0, covered = 0.0, titled = 0.0, familiar = 0.0, background = -50.0, terms = 0.0, offset = -10.0 }
strength = { nearness = 20.0, covered = 0.0, titled = 0.0, familiar = 0.0 }
[filled_in]
nearness = { offset = 0.0, slope = 1.0 }
covered = { offset = 0.0, slope = 0.0 }
titled = { offset = 0.0, slope = 0.0 }
familiar = { offset = 0.0, slope = 0.0 }
`;

/** Refuses nothing, and asks everybody who is anywhere near. */
const GENEROUS = CALIBRATION.replace("offset = -10.0", "offset = 1000.0").replace("0.726", "1.0");

const SETTINGS = `encoder = { kind = "hashed" }
[fleet]
refresh_ms = 50
exam_ms = 2000
`;

/** What a router is started with. */
export interface Wishes {
  institutions: Institution[];
  /** Whether everybody who is near is asked, and not only the best. */
  generous?: boolean;
  /** Further lines of `router.toml`. */
  settings?: string;
}

/** A running router with its specialists. */
export class Federation {
  private constructor(
    private readonly router: Server,
    private readonly folder: string,
    private readonly specialists: Map<string, Specialist>,
  ) {}

  /** Starts a router and these institutions, and registers each with it. */
  static async start({ institutions, generous = false, settings = "" }: Wishes): Promise<Federation> {
    const folder = mkdtempSync(join(tmpdir(), "consilium-router-"));
    writeFileSync(join(folder, "calibration.toml"), generous ? GENEROUS : CALIBRATION);
    const config = join(folder, "router.toml");
    writeFileSync(config, SETTINGS + settings);
    const args = ["serve", "--listen", "127.0.0.1:0", "--config", config, "--data", folder];
    const router = await Server.start("router", "router", args);
    const federation = new Federation(router, folder, new Map());
    await federation.add(institutions);
    return federation;
  }

  get url(): string {
    return this.router.url;
  }

  /** Starts these institutions too, and registers them. */
  async add(institutions: Institution[]): Promise<void> {
    const started = await Promise.all(institutions.map((about) => Specialist.start(about)));
    for (const specialist of started) {
      this.specialists.set(specialist.id, specialist);
      await run("registry", ["add", specialist.url, "--yes", "--router", this.url]);
    }
  }

  /** Takes one out of the registry, and ends it. */
  async remove(id: string): Promise<void> {
    await run("registry", ["remove", id, "--router", this.url]);
    await this.kill(id);
  }

  /** What its router says of its fleet. */
  async report(): Promise<Report> {
    return (await fetch(`${this.url}/v1/fleet`)).json();
  }

  /** How its router sees each of its specialists, in a word. */
  async health(): Promise<string[]> {
    return (await this.report()).specialists.map(({ health }) => health);
  }

  /** Asks as a program does, without the page; waits for the whole answer. */
  async ask(question: string): Promise<void> {
    const body = JSON.stringify({ model: "consilium/auto", messages: [{ role: "user", content: question }] });
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${this.url}/v1/chat/completions`, { method: "POST", headers, body });
    if (!response.ok) {
      throw new Error(`${question} was not answered: ${await response.text()}`);
    }
  }

  /** The keys by which its receipts are checked, as its operator hands them out. */
  async trust(): Promise<string> {
    return run("router", ["trust", "--data", this.folder]);
  }

  /** Ends one as a crash would; the router has it still in its registry. */
  async kill(id: string): Promise<void> {
    await this.specialists.get(id)?.kill();
    this.specialists.delete(id);
  }

  /** Ends all specialists in the same way. */
  async killSpecialists(): Promise<void> {
    await Promise.all([...this.specialists.values()].map((specialist) => specialist.kill()));
    this.specialists.clear();
  }

  /** Ends the router first, so that it does not live to say that its specialists broke off. */
  async stop(): Promise<void> {
    await this.router.kill();
    await this.killSpecialists();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
