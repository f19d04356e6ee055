// The page about who is registered, and how they do: what it shows is what the router has counted.

import type { Locator, Page } from "@playwright/test";

import { expect, surveyed, test } from "./fixtures.ts";
import { Chat, en } from "./harness/chat.ts";
import { expectAccessible, expectNoSidewaysScroll, looks, NARROWEST, picture, wear, ZOOMED } from "./harness/look.ts";
import type { Federation } from "./harness/router.ts";

test.use({ of: "surveyed" });

/** Each row of a table by what its head says, with its other cells. */
async function rows(table: Locator): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const row of await table.locator("tbody tr").all()) {
    found[(await row.getByRole("rowheader").innerText()).replace(/^\d+\s+/, "")] = await row.getByRole("cell").allInnerTexts();
  }
  return found;
}

const percent = (n: number, of: number) => `${Math.round((100 * n) / of)}%`;

async function open(page: Page, federation: Federation): Promise<void> {
  await page.goto(`${federation.url}/fleet`);
  await expect(page.getByRole("heading", { name: en.fleet.title, level: 1 })).toBeVisible();
  await expect(page.getByRole("table")).not.toHaveCount(0);
}

/** Has the router list but `limit` specialists at once, as if there were too many for more. */
async function listing(page: Page, limit: number): Promise<void> {
  await page.route("**/v1/fleet**", (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set("limit", String(limit));
    return route.continue({ url: url.href });
  });
}

test("a large fleet is shown in parts", async ({ page, federation }) => {
  await listing(page, 3);
  await open(page, federation);
  const cards = page.locator(".fleet-card");
  await expect(cards).toHaveCount(3);
  await expect(page.getByText(en.fleet.lead("consilium.local", 4, 3))).toBeVisible();
  await page.getByRole("button", { name: en.fleet.next(1) }).click();
  await expect(cards).toHaveCount(4);
  expect(new Set(await cards.getByRole("heading", { level: 2 }).allInnerTexts()).size).toBe(4);
  await expect(page.getByRole("button", { name: /Show more/ })).toHaveCount(0);
});

test("whoever is not listed at once is found by name", async ({ page, federation }) => {
  await listing(page, 1);
  const chat = new Chat(page, federation.url);
  await chat.open();
  await expect(page.getByRole("link", { name: `${en.start.all} (4)` })).toBeVisible();
  await chat.button(en.composer.who).click();
  const south = chat.button(`${en.composer.menuOnly}: Care of children in the south`);
  await expect(chat.button(new RegExp(en.composer.menuOnly))).toHaveCount(1);
  await expect(south).toHaveCount(0);
  await page.getByRole("searchbox", { name: en.composer.menuFind }).fill("SOUTH");
  await south.click();
  await expect(chat.button(en.composer.drop(en.composer.only("Care of children in the south")))).toBeVisible();
});

test("everybody is shown with what they say of themselves and how they are", async ({ page, federation }) => {
  await open(page, federation);
  const { name, specialists } = await federation.report();
  await expect(page.getByText(en.fleet.lead(name, specialists.length, 3))).toBeVisible();
  expect(specialists.map(({ health }) => health).sort()).toEqual(["down", "up", "up", "up"]);
  for (const one of specialists) {
    const card = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: one.title }) });
    const said = [one.institution, one.description, en.fleet.health[one.health], `${one.passage_count}`, one.license, one.key?.slice(0, 8)];
    for (const part of said) await expect(card).toContainText(part ?? "nothing");
    await card.getByText(en.fleet.more).click();
    for (const part of [...one.example_questions, one.card_sha256, one.key, one.generator]) await expect(card).toContainText(part ?? "nothing");
  }
  const down = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "Cheese and how it is made" }) });
  await expect(down).toContainText(en.fleet.health.down);
});

test("who leads how often is what the router has counted", async ({ page, federation }) => {
  await open(page, federation);
  const { specialists, tally } = await federation.report();
  expect(tally).toMatchObject({ turns: surveyed.length, asked: surveyed.length, abstained: 0 });
  expect(specialists.find(({ id }) => id === "observatory")?.won).toBe(2);
  const shown = await rows(page.getByRole("table", { name: en.fleet.shares }));
  expect(Object.keys(shown)).toHaveLength(specialists.length);
  for (const { title, won, asked, answered, no_answer, failed, timeout } of specialists) {
    const counts = [asked, answered, no_answer, failed + timeout].map(String);
    expect(shown[title], title).toEqual(["", percent(won, tally.asked), ...counts]);
  }
  // Whoever leads most stands first, and its bar is as long as its share.
  expect(Object.keys(shown)[0]).toBe("Planets and their moons");
  const bars = page.getByRole("table", { name: en.fleet.shares }).locator("svg");
  const lengths = await bars.evaluateAll((all) =>
    all.map((bar) => {
      const [ground, value] = [...bar.querySelectorAll("rect")].map((rect) => rect.getBoundingClientRect().width);
      return Math.round((100 * (value ?? Number.NaN)) / (ground ?? Number.NaN));
    }),
  );
  const shares = [...specialists].map(({ won }) => Math.round((100 * won) / tally.asked)).sort((one, other) => other - one);
  expect(lengths).toEqual(shares);
});

test("who is near whom in use is what the router has counted", async ({ page, federation }) => {
  await open(page, federation);
  const { specialists, tally } = await federation.report();
  expect(tally.pairs.length).toBeGreaterThan(0);
  for (const what of ["asked", "second"] as const) {
    await page.getByRole("radio", { name: en.fleet.what[what] }).check();
    const table = page.getByRole("table", { name: en.fleet.rivalsCaption[what] });
    await expect(table).toBeVisible();
    const shown = await rows(table);
    for (const winner of specialists) {
      const row = specialists.map((other) => {
        if (winner === other || winner.won === 0) return "·";
        const pair = tally.pairs.find(({ won, other: to }) => won === winner.id && to === other.id);
        return percent(pair?.[what] ?? 0, winner.won);
      });
      expect(shown[winner.title], `${what}: ${winner.title}`).toEqual(row);
    }
  }
});

test("the exams are told as they went", async ({ page, federation }) => {
  await open(page, federation);
  const { specialists } = await federation.report();
  const table = page.getByRole("table", { name: en.fleet.examinedCaption });
  const shown = await rows(table);
  for (const [at, { title, exam }] of specialists.entries()) {
    const { own, answers } = exam!;
    expect(own.asked).toBeGreaterThan(0);
    // Its own questions that are its own, and those that nobody would get.
    expect(shown[title]?.[at], title).toBe(percent(own.led, own.asked));
    expect(shown[title]?.at(-1), title).toBe(percent(own.uncovered, own.asked));
    const card = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: title }) });
    await card.getByText(en.fleet.more).click();
    await expect(card).toContainText(en.fleet.exam.own(own.asked, own.led, own.uncovered));
    await expect(card).toContainText(en.fleet.exam.answers(answers!.asked, answers!.answered, answers!.cited, answers!.no_answer));
  }
});

for (const look of looks) {
  test(`nothing of it is out of reach: ${look.name}`, async ({ page, federation }) => {
    await wear(page, look);
    await open(page, federation);
    await page.getByText(en.fleet.more).first().click();
    await expectNoSidewaysScroll(page);
    await picture(page, `fleet-${look.name}`);
    await expectAccessible(page);
    await page.getByRole("table").last().scrollIntoViewIfNeeded();
    await picture(page, `fleet-tables-${look.name}`);
  });
}

test("it fits a narrow window and one at 200 %", async ({ page, federation }) => {
  for (const [name, viewport] of Object.entries({ narrowest: NARROWEST, zoomed: ZOOMED })) {
    await page.setViewportSize(viewport);
    await open(page, federation);
    await expectNoSidewaysScroll(page);
    await picture(page, `fleet-${name}`);
  }
});
