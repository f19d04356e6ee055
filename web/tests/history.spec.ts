// Conversations that were had: found, named, taken along, shown to others, erased.

import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures.ts";
import { Chat, en, held, like } from "./harness/chat.ts";

const MARS = "why is Mars red";
const GOUDA = "how long does Gouda cheese ripen";
const RUSTED = "Mars is red because iron dust on its ground rusted.";

async function downloaded(page: Page, act: () => Promise<void>): Promise<string> {
  const download = page.waitForEvent("download");
  await act();
  return readFileSync(await (await download).path(), "utf8");
}

test("conversations are found by words of questions and of answers", async ({ chat, page }) => {
  await chat.ask(MARS);
  await chat.begin();
  await chat.ask(GOUDA);
  const links = chat.conversations.getByRole("link");
  await expect(links.filter({ hasText: /Mars|Gouda/ })).toHaveCount(2);
  const search = page.getByRole("searchbox", { name: en.history.search });
  await search.fill("wooden shel");
  await expect(links.filter({ hasText: GOUDA })).toHaveCount(1);
  await expect(links.filter({ hasText: MARS })).toHaveCount(0);
  await search.fill("nothingofthekind");
  await expect(page.getByText(en.history.noneFound("nothingofthekind"))).toBeVisible();
  await search.fill("mars");
  await links.filter({ hasText: MARS }).click();
  await expect(chat.turns).toContainText([RUSTED]);
});

test("a conversation is renamed and pinned", async ({ chat, page }) => {
  await chat.ask(MARS);
  await chat.act(MARS, en.history.rename);
  const field = page.getByRole("textbox", { name: en.history.renameLabel });
  await field.fill("The red planet");
  await field.press("Enter");
  await expect(chat.conversations.getByRole("link", { name: "The red planet" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "The red planet", level: 1 })).toBeVisible();
  await expect(page).toHaveTitle(/^The red planet/);
  await chat.begin();
  await chat.ask(GOUDA);
  await chat.act("The red planet", en.history.pin);
  const links = chat.conversations.getByRole("link").filter({ hasText: /The red planet|Gouda/ });
  await expect(links).toContainText(["The red planet", GOUDA]);
  await chat.settled();
  await page.reload();
  await expect(links).toContainText(["The red planet", GOUDA]);
});

test("a conversation that comes late takes the focus from nothing, and a question written meanwhile can be sent", async ({ chat, page }) => {
  await chat.ask(MARS);
  await chat.settled();
  const release = await held(page, /\/v1\/conversations\/[^/]+$/);
  await page.reload();
  await expect(chat.composer).toBeFocused();
  await chat.put(GOUDA);
  await expect(chat.composer).toHaveValue(GOUDA);
  await chat.conversations.getByRole("button", { name: en.history.actions(MARS) }).click();
  const first = page.getByRole("menuitem").first();
  await expect(first).toBeFocused();
  await release();
  await expect(chat.turns).toContainText([MARS]);
  await expect(first).toBeFocused();
  await page.keyboard.press("Escape");
  await chat.send.click();
  await expect(chat.turns).toContainText([MARS, GOUDA]);
});

test("a conversation is exported as Markdown and as JSON", async ({ chat, page }) => {
  await chat.ask(MARS);
  const markdown = await downloaded(page, () => chat.act(MARS, en.history.exportMarkdown));
  for (const part of [MARS, RUSTED, "Mars, colour", "City Observatory"]) {
    expect(markdown).toContain(part);
  }
  const json = JSON.parse(await downloaded(page, () => chat.act(MARS, en.history.exportJson)));
  expect(json.turns[0].question).toBe(MARS);
  expect(json.turns[0].answer.choices[0].message.content).toContain(RUSTED);
});

test("a deleted conversation is gone for good", async ({ chat, page }) => {
  await chat.ask(MARS);
  const address = page.url();
  await chat.act(MARS, en.history.delete);
  const asked = page.getByRole("dialog", { name: en.history.deleteTitle });
  await expect(asked).toContainText(en.history.deleteText(MARS));
  await asked.getByRole("button", { name: en.history.delete, exact: true }).click();
  await expect(chat.conversations.getByRole("link", { name: MARS })).toHaveCount(0);
  await page.goto(address);
  await expect(page.getByText(en.errors.missing)).toBeVisible();
});

test("others read what is shared, and only as long as it is", async ({ chat, browser, page }) => {
  await chat.ask(MARS);
  await chat.act(MARS, en.history.share);
  const dialog = page.getByRole("dialog", { name: en.share.title });
  await dialog.getByRole("button", { name: en.share.make }).click();
  const link = await dialog.getByRole("textbox").inputValue();
  expect(link).toContain(`${chat.url}/s/`);

  const other = await (await browser.newContext()).newPage();
  await other.goto(link);
  await expect(other.getByText(en.share.reading)).toBeVisible();
  const reader = new Chat(other, chat.url);
  await expect(reader.turns).toContainText([RUSTED]);
  await expect(reader.composer).toHaveCount(0);
  await expect(reader.button(en.turn.regenerate)).toHaveCount(0);

  await dialog.getByRole("button", { name: en.share.revoke }).click();
  await expect(page.getByRole("status").filter({ hasText: en.share.revoked })).toHaveCount(1);
  await other.reload();
  await expect(other.getByText(en.share.gone)).toBeVisible();
  await other.context().close();
});

test("nobody else's conversation is shown, nor one whose session has expired", async ({ chat, context, page }) => {
  await chat.ask(MARS);
  const address = page.url();
  // Whatever is still under way would bring the cookie back.
  await chat.settled();
  await context.clearCookies();
  await page.goto(address);
  await expect(page.getByText(en.errors.missing)).toBeVisible();
  await expect(page.getByText(RUSTED)).toHaveCount(0);
});

test("a session that expires while one reads is said", async ({ chat, context, page }) => {
  await chat.ask(MARS);
  await chat.settled();
  await context.clearCookies();
  await chat.put("how many moons has Mars");
  await expect(page.getByRole("alert")).toContainText(en.errors.session);
  // Nothing that was written is lost, and it can begin another conversation.
  await expect(chat.composer).toHaveValue("how many moons has Mars");
  await page.getByRole("alert").getByRole("button", { name: en.history.fresh }).click();
  await expect(chat.turns).toHaveCount(1);
  await expect(chat.turns).toContainText(["Phobos"]);
});

test("nothing of a conversation stays in the browser", async ({ chat, page }) => {
  await chat.ask(MARS);
  const kept = await page.evaluate(async () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, await indexedDB.databases(), await caches.keys()]));
  expect(kept).not.toMatch(/Mars|rusted/i);
  await expect(page.getByText(like(en.history.kept))).toBeVisible();
});
