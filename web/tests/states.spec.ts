// What a page may get into that its reader did not choose.

import type { Report } from "../src/fleet/report.ts";
import { expect, test } from "./fixtures.ts";
import { Chat, en } from "./harness/chat.ts";
import { dairy, harbour, observatory } from "./harness/fleets.ts";
import { expectNoSidewaysScroll, NARROWEST, picture } from "./harness/look.ts";

const MARS = "why is Mars red";

/** As many as a router keeps for one session. */
const CONVERSATIONS_MAX = 1000;

/** 27 times as many, and one, are as many. */
const AT_ONCE = 37;

test("an empty page shows who answers here, and what could be asked", async ({ chat, page }) => {
  // Who was asked more often stands first, and others may ask meanwhile.
  const told = page.waitForResponse(/\/v1\/fleet/);
  await page.reload();
  const { specialists }: Report = await (await told).json();
  const first = page.getByRole("main").getByRole("listitem").filter({ has: page.getByRole("heading") });
  await expect(first).toContainText(specialists.slice(0, 6).map(({ title }) => title));
  await expect(first).toContainText(specialists.slice(0, 6).map(({ institution }) => institution));
  // The others are a step away.
  await expect(page.getByRole("link", { name: en.start.all })).toHaveAttribute("href", "/fleet");
  await chat.button("how many moons has Mars").click();
  // It can still be changed, or looked at who would see it.
  await expect(chat.composer).toHaveValue("how many moons has Mars");
  await chat.composer.press("Enter");
  await expect(chat.turns).toContainText(["Phobos"]);
});

test("offline is said, and what stands stays", async ({ chat, context, page }) => {
  await chat.ask(MARS);
  await context.setOffline(true);
  await expect(page.getByText(en.app.offline)).toBeVisible();
  await expect(chat.turns).toContainText(["iron dust"]);
  await picture(page, "offline");
  // A question waits where it was written.
  await chat.put("how many moons has Mars");
  await expect(page.getByRole("alert")).toContainText(en.errors.offline);
  await expect(chat.composer).toHaveValue("how many moons has Mars");
  await context.setOffline(false);
  await expect(page.getByText(en.app.offline)).toBeHidden();
  await page.getByRole("alert").getByRole("button", { name: en.app.retry }).click();
  await expect(chat.turns).toContainText([MARS, "Phobos"]);
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("an answer that breaks off with its router says so, and keeps what was said", async ({ page, start }) => {
  const federation = await start({ institutions: [harbour] });
  const chat = new Chat(page, federation.url);
  await chat.open();
  await chat.put("when does the ferry leave");
  await expect(chat.turns).toContainText(["It comes back"]);
  await federation.stop();
  await expect(chat.turns).toContainText([en.turn.failed]);
  await expect(chat.turns).toContainText(["The ferry leaves at noon."]);
  await picture(page, "broken-off");
  // What is asked next waits where it was written.
  await chat.put(MARS);
  await expect(page.getByRole("alert")).toContainText(en.errors.offline);
  await expect(chat.composer).toHaveValue(MARS);
});

test("a specialist that is slow is named, and the rest of the page can be used", async ({ chat, page }) => {
  await page.clock.install();
  await chat.put("when does the night train leave");
  await expect(chat.turns).toContainText([en.turn.waiting("Trains and their timetable")]);
  await page.clock.fastForward("01:00");
  await expect(chat.turns).toContainText([en.turn.slow("Trains and their timetable")]);
  await chat.stop.click();
  await expect(chat.log).toContainText(en.turn.stopped);
});

test("too many questions at once are told to wait, and can be asked again", async ({ browser, page, start }) => {
  const federation = await start({ institutions: [observatory, harbour], settings: "[limits]\nin_flight_max = 1\n" });
  const other = new Chat(await (await browser.newContext()).newPage(), federation.url);
  await other.open();
  await other.put("when does the ferry leave");
  await expect(other.turns).toContainText(["It comes back"]);

  const chat = new Chat(page, federation.url);
  await chat.open();
  await chat.put(MARS);
  await expect(page.getByRole("alert")).toContainText(en.errors.quota(1));
  // The question is back where it was written.
  await expect(chat.composer).toHaveValue(MARS);
  // Nothing was begun of it.
  await expect(chat.conversations).toContainText(en.history.none);
  await picture(page, "over-quota");
  await other.stop.click();
  // Until the other question is over for the router, too, the same is said again.
  const again = page.getByRole("alert").getByRole("button", { name: en.app.retry });
  await expect(async () => {
    if (await again.isVisible()) await again.click();
    await expect(chat.turns).toContainText(["iron dust"], { timeout: 2_000 });
  }).toPass();
  await other.page.context().close();
});

test("who has as many conversations as the router keeps is told so", async ({ chat, page }) => {
  const begin = async () => (await page.request.post(`${chat.url}/v1/conversations`, { data: {} })).status();
  // The first one begins the session that owns the others.
  expect(await begin()).toBe(201);
  for (let begun = 1; begun < CONVERSATIONS_MAX; begun += AT_ONCE) {
    expect(new Set(await Promise.all(Array.from({ length: AT_ONCE }, begin)))).toEqual(new Set([201]));
  }
  await chat.put(MARS);
  await expect(page.getByRole("alert")).toContainText(en.errors.limit);
  await expect(chat.composer).toHaveValue(MARS);
});

test("somebody who was chosen, and has left since, is said to be gone", async ({ page, start }) => {
  const federation = await start({ institutions: [observatory, dairy] });
  const chat = new Chat(page, federation.url);
  await chat.open();
  await chat.button(en.composer.who).click();
  await chat.button(`${en.composer.menuOnly}: Cheese and how it is made`).click();
  await federation.remove("dairy");
  await chat.put(MARS);
  await expect(page.getByRole("alert")).toContainText("dairy");
  await expect(page.getByRole("alert")).not.toContainText(en.errors.session);
  await chat.button(en.composer.drop(en.composer.only("Cheese and how it is made"))).click();
  await page.getByRole("alert").getByRole("button", { name: en.app.retry }).click();
  await expect(chat.turns).toContainText(["iron dust"]);
});

test("long words break", async ({ chat, page }) => {
  await page.setViewportSize(NARROWEST);
  await chat.open();
  await chat.ask("w".repeat(3000));
  await expectNoSidewaysScroll(page);
  await picture(page, "long-words");
});

test("what is written from right to left stands so, and numbers and marks within it as they are meant", async ({ chat, page }) => {
  const question = "ما هو كوكب المريخ Mars في العربية";
  await chat.ask(question);
  const answer = await chat.ask("what is Mars called in Arabic");
  const words = answer.getByText("للمريخ قمران");
  for (const text of [chat.turns.getByText(question), words]) {
    expect(await text.evaluate((element) => getComputedStyle(element.closest("[dir]") ?? element).direction)).toBe("rtl");
  }
  // The end of a line is at its left; names in other letters are not turned around.
  const places = await words.evaluate((element) => {
    const node = document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode() as Text;
    const place = (part: string) => {
      const range = document.createRange();
      range.setStart(node, node.data.indexOf(part));
      range.setEnd(node, node.data.indexOf(part) + 1);
      return range.getBoundingClientRect().left;
    };
    return ["للمريخ", "Phobos", "hobos", "1877"].map(place);
  });
  const [begin = 0, name = 0, nameGoesOn = 0, end = 0] = places;
  expect(begin).toBeGreaterThan(name);
  expect(nameGoesOn).toBeGreaterThan(name);
  expect(name).toBeGreaterThan(end);
  await expectNoSidewaysScroll(page);
  await picture(page, "right-to-left");
});
