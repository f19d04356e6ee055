// How the page looks and is worked: on a phone, in the dark, large, on paper, by keyboard, by those who do not see it.
// Pictures of its main states are left in the output folder.

import { gzipSync } from "node:zlib";

import de from "../src/messages/de.ts";
import { expect, test } from "./fixtures.ts";
import { type Chat, en } from "./harness/chat.ts";
import { expectAccessible, expectNoSidewaysScroll, looks, picture, wear, ZOOMED } from "./harness/look.ts";

const MARS = "why is Mars red";
const SCRIPT_GZIP_BYTES_MAX = 50_000;

/** The states that a reader sees most, each made from the one before. */
const states: [string, (chat: Chat) => Promise<unknown>][] = [
  ["empty", async () => {}],
  ["answer", (chat) => chat.ask(MARS)],
  ["panel", (chat) => chat.openPanel(chat.turns.last())],
  ["receipt", async (chat) => {
    await chat.panel.getByRole("button", { name: en.receipt.verify }).click();
    await expect(chat.panel).toContainText(en.receipt.looked);
  }],
  ["consent", async (chat) => {
    await chat.page.keyboard.press("Escape");
    await chat.put("who inherits without a will");
    await expect(chat.page.getByRole("dialog", { name: en.preview.needsTitle })).toBeVisible();
  }],
];

for (const look of looks) {
  test(`nothing is out of reach: ${look.name}`, async ({ chat, page }) => {
    await wear(page, look);
    await chat.open();
    for (const [state, reach] of states) {
      await test.step(state, async () => {
        await reach(chat);
        await expectNoSidewaysScroll(page);
        await picture(page, `${state}-${look.name}`);
        await expectAccessible(page);
      });
    }
  });
}

test("dark is dark, by the system's wish and by the reader's", async ({ chat, page }) => {
  const ground = () =>
    page.evaluate(() => {
      const { backgroundColor } = getComputedStyle(document.documentElement);
      const [red = 0, green = 0, blue = 0] = backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [];
      return red + green + blue;
    });
  await page.emulateMedia({ colorScheme: "light" });
  expect(await ground()).toBeGreaterThan(600);
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await ground()).toBeLessThan(200);
  await chat.button(en.app.settings).click();
  await page.getByRole("radio", { name: en.app.themes.light }).check();
  expect(await ground()).toBeGreaterThan(600);
});

test("another language is spoken at once, by what stands there already, too", async ({ chat, page }) => {
  await chat.ask(MARS);
  await chat.button(en.app.settings).click();
  await page.getByRole("combobox").selectOption("de");
  await expect(chat.turns.getByRole("button", { name: de.turn.details, exact: true })).toBeVisible();
  await expect(chat.turns).toContainText([de.turn.notice("City Observatory")]);
});

test("what is written is seen whole, also where style sheets cannot make it so", async ({ chat, page }) => {
  await page.addInitScript(() => {
    CSS.supports = () => false;
  });
  await page.reload();
  await expect(chat.composer).toBeVisible();
  await page.evaluate(() => document.styleSheets[0]?.insertRule("textarea { field-sizing: fixed !important; }"));
  await chat.composer.fill("why is Mars red, ".repeat(20));
  const hidden = () => chat.composer.evaluate((area) => area.scrollHeight - area.clientHeight);
  await expect.poll(hidden).toBe(0);
});

test("asking, searching and looking behind an answer work by keyboard", async ({ chat, page }) => {
  await expect(chat.composer).toBeFocused();
  await page.keyboard.type(MARS);
  await page.keyboard.press("Enter");
  const answer = await chat.ended(chat.turns.last());
  await expect(page.getByText("Ctrl K", { exact: true })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("searchbox", { name: en.history.search })).toBeFocused();
  await chat.tabTo(en.turn.details);
  const details = answer.getByRole("button", { name: en.turn.details, exact: true });
  await expect(details).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(chat.panel).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(chat.panel).toBeHidden();
  await expect(details).toBeFocused();
});

test("every stop of the keyboard is seen", async ({ chat, page }) => {
  await chat.ask(MARS);
  await expect(chat.conversations.getByRole("link", { name: MARS })).toBeVisible();
  const seen = new Set<string>();
  // Round once: past the end, where the browser's own bars would come, to where it began.
  for (;;) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return null;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      const marked = (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none" || element.matches("textarea, input");
      const all = [...document.querySelectorAll("*")];
      return { key: `${all.indexOf(element)}`, html: element.outerHTML.slice(0, 120), marked };
    });
    if (stop === null) continue;
    if (seen.has(stop.key)) break;
    seen.add(stop.key);
    expect.soft(stop.marked, stop.html).toBe(true);
  }
  expect(seen.size).toBeGreaterThan(8);
});

test("at 200 % nothing is lost", async ({ chat, page }) => {
  await page.setViewportSize(ZOOMED);
  await chat.open();
  const answer = await chat.ask(MARS);
  await expectNoSidewaysScroll(page);
  await answer.scrollIntoViewIfNeeded();
  await chat.openPanel(answer);
  await expectNoSidewaysScroll(page);
  await picture(page, "panel-zoomed");
});

test("who wants no motion sees none", async ({ chat, page }) => {
  const moving = () =>
    page.evaluate(() =>
      document.getAnimations().filter((animation) => Number(animation.effect?.getComputedTiming().duration) > 1).length,
    );
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await chat.put("when does the night train leave");
  await expect.poll(moving).toBeGreaterThan(0);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await expect.poll(moving).toBe(0);
});

test("paper has the conversation with its sources and notes, and nothing to press", async ({ chat, page }) => {
  const answer = await chat.ask(MARS);
  await chat.ask("which mushrooms are poisonous");
  await page.emulateMedia({ media: "print" });
  for (const part of [MARS, "iron dust", "Mars, colour", "City Observatory", "Written for visitors of the observatory.", "CC0-1.0", "https://example.org/observatory/0"]) {
    await expect(answer.getByText(part).filter({ visible: true }).first()).toBeVisible();
  }
  await expect(chat.turns.last()).toContainText("broke off here");
  await expect(chat.composer).toBeHidden();
  await expect(chat.conversations).toBeHidden();
  for (const name of [en.turn.regenerate, en.turn.copy, en.turn.edit, en.turn.good, en.turn.details]) {
    await expect(page.getByRole("button", { name, exact: true })).toHaveCount(0);
  }
  // All of it is on the pages, however long: nothing is left in a box that would have to be scrolled.
  await expectNoSidewaysScroll(page);
  const last = await chat.turns.last().boundingBox();
  const whole = await page.evaluate(() => document.documentElement.scrollHeight);
  expect(whole).toBeGreaterThanOrEqual((last?.y ?? Number.NaN) + (last?.height ?? Number.NaN));
  await picture(page, "print");
});

test("the first load is light", async ({ federation, page }) => {
  let bytes = 0;
  const scripts: Promise<void>[] = [];
  page.on("response", (response) => {
    if (response.request().resourceType() === "script") {
      scripts.push(response.body().then((body) => void (bytes += gzipSync(body).length)));
    }
  });
  await page.goto(federation.url, { waitUntil: "networkidle" });
  await Promise.all(scripts);
  expect(scripts.length).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(SCRIPT_GZIP_BYTES_MAX);
});
