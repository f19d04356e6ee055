// Programs of this project as processes of their own, which end with the test run.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));

/** Where the programs stand; whoever has built them elsewhere says so, as to `scripts/processes`. */
const programs = process.env.BIN ?? resolve(here, "../../../target/debug");

/** Where logs and pictures are left. */
export const output = process.env.OUTPUT ?? resolve(here, "../../../target/page-tests");

/** Nothing outlives the run, however it ends. */
const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** Routers and specialists write one log each; the number keeps two of a name apart. */
let started = 0;

/** One of the workspace's programs. */
export function program(name: string): string {
  const path = join(programs, name);
  if (!existsSync(path)) {
    throw new Error(`${path} is not there: run \`make build\` first`);
  }
  return path;
}

/** Runs a program to its end; what it printed. Fails with what it said to be wrong. */
export async function run(name: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program(name), args, { timeout: 60_000 });
  return stdout;
}

/** A running server. */
export class Server {
  private constructor(
    private readonly child: ChildProcess,
    private readonly ended: Promise<void>,
    readonly url: string,
    /** The file that it logs to. */
    readonly log: string,
  ) {}

  /** Starts one of our servers, and waits until it says where it listens. `name` names its log. */
  static async start(name: string, binary: string, args: string[]): Promise<Server> {
    const logs = join(output, "logs");
    mkdirSync(logs, { recursive: true });
    started += 1;
    const log = join(logs, `${name}-${process.pid}-${started}.log`);
    const child = spawn(program(binary), args, { stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    child.once("close", () => running.delete(child));
    child.stderr.pipe(createWriteStream(log));
    const ended = new Promise<void>((end) => child.once("close", () => end()));
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^listening on (\S+)/.exec(line)?.[1];
      if (url !== undefined) {
        child.stdout.resume();
        return new Server(child, ended, url, log);
      }
    }
    await ended;
    throw new Error(`${name} did not start:\n${readFileSync(log, "utf8")}`);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}
