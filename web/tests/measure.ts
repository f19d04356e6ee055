// Figures, not tests: how soon a page can be written in, and how long its tasks are in a conversation of 500 turns
// that is loaded, scrolled and added to. `npm run measure` prints them.

import { cpus } from "node:os";

import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures.ts";
import { Chat } from "./harness/chat.ts";

test.use({ of: "empty" });

/** As many as a conversation may have, less the one that is streamed. */
const TURNS = 499;

/** So often each is done anew. */
const ROUNDS = 5;

/** A task that is longer is felt, and is what browsers report. */
const LONG_TASK_MS = 50;

const QUESTION = "what does a long answer look like";

/** About two screens of everything that answers are made of. */
const answer = [
  "A long answer has **several** parts, and each of them is of some length, so that lines wrap. ",
  "It has a [link](https://example.org/page) and `code`, too.\n\n",
  "| Option | Note |\n|---|---|\n| one | preferred at first |\n| another | held back |\n\n",
  "1. First this is done.\n2. Then that.\n   - With care.\n   - And in time.\n\n",
  "```\nlet dose = f32::min(1.5 * area, 2.0);\n```\n\n",
  ..."The rest is prose that goes on for a while. It comes in pieces as a generator makes them. ".repeat(6).split(/(?<= )/),
];

declare global {
  var tasks: number[];
}

async function longTasks(page: Page): Promise<number[]> {
  // What was observed is handed over in a task of its own.
  await page.evaluate(() => new Promise((done) => setTimeout(done, 100)));
  return await page.evaluate(() => globalThis.tasks.splice(0));
}

const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

function report(what: string, rounds: number[][]): void {
  const longest = rounds.map((tasks) => Math.max(0, ...tasks));
  const shown = longest.map((ms) => (ms === 0 ? `<${LONG_TASK_MS}` : ms.toFixed(0)));
  console.log(`  ${what}: longest task of each round ${shown.join(", ")} ms; tasks over ${LONG_TASK_MS} ms: ${rounds.flat().length}`);
}

/** A conversation of so many turns, asked one after another; its id. */
async function converse(page: Page, url: string): Promise<string> {
  const { id } = await (await page.request.post(`${url}/v1/conversations`, { data: {} })).json();
  let parent: string | null = null;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const stream = await page.request.post(`${url}/v1/conversations/${id}/turns`, {
      data: { parent, text: QUESTION, options: {} },
    });
    expect(stream.ok(), await stream.text()).toBe(true);
    parent = JSON.parse(/"turn":(\{[^}]*\})/.exec(await stream.text())?.[1] ?? "{}").id;
  }
  return id;
}

test("figures", async ({ page, federation }) => {
  await federation.add([{ id: "long", exampleQuestions: [QUESTION], steps: answer.map((say) => ({ say })) }]);
  await page.addInitScript(() => {
    globalThis.tasks = [];
    new PerformanceObserver((list) => {
      globalThis.tasks.push(...list.getEntries().map((entry) => entry.duration));
    }).observe({ type: "longtask", buffered: true });
  });
  console.log(`\n${cpus()[0]?.model}, ${cpus().length} cores; ${new Date().toISOString().slice(0, 10)}; of ${ROUNDS} rounds:`);

  const chat = new Chat(page, federation.url);
  const ready: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await chat.open();
    await chat.composer.fill("x");
    ready.push(await page.evaluate(() => performance.now()));
  }
  console.log(`  an empty page is written in after ${median(ready).toFixed(0)} ms (median)`);

  const id = await converse(page, federation.url);
  const loaded: number[][] = [];
  const scrolled: number[][] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await chat.open(`/c/${id}`);
    await expect(chat.turns.last()).toBeVisible();
    loaded.push(await longTasks(page));
    await chat.log.hover();
    for (let step = 0; step < 60; step += 1) {
      await page.mouse.wheel(0, step < 30 ? -1500 : 1500);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
    }
    scrolled.push(await longTasks(page));
  }
  report(`${TURNS} turns are loaded`, loaded);
  report("they are scrolled up and down", scrolled);
  // The page holds the latest turns only, so one comes and one goes.
  await chat.put(QUESTION);
  const kept = async (): Promise<string> => {
    const response = await page.request.get(`${federation.url}/v1/conversations/${id}`);
    const { turns } = await response.json();
    return `${turns.length} turns, the last ${turns.at(-1).state}`;
  };
  await expect.poll(kept).toBe(`${TURNS + 1} turns, the last done`);
  report("another answer is streamed below them", [await longTasks(page)]);
});
