// Conversations in order: pinned, in folders, by hand and by keyboard alone.

import { expect, test } from "./fixtures.ts";
import { type Chat, en } from "./harness/chat.ts";
import { expectNoSidewaysScroll } from "./harness/look.ts";

const MARS = "why is Mars red";
const GOUDA = "how long does Gouda cheese ripen";
const MOONS = "how many moons has Mars";

/** What is listed, line by line: headings, folders and conversations. */
async function listed(chat: Chat): Promise<string[]> {
  return (await chat.conversations.locator("h3, summary, a.conversation").allInnerTexts()).map((line) => line.trim());
}

/** The list reads like this, now and after the page is loaded anew. */
async function expectListed(chat: Chat, lines: string[]): Promise<void> {
  await expect.poll(() => listed(chat)).toEqual(lines);
  await chat.settled();
  await chat.page.reload();
  await expect.poll(() => listed(chat)).toEqual(lines);
}

/** Puts the conversation called `title` into `folder`; out of all where that is empty. */
async function move(chat: Chat, title: string, folder: string): Promise<void> {
  await chat.act(title, en.history.folder);
  const dialog = chat.page.getByRole("dialog", { name: en.history.folder });
  await dialog.getByLabel(en.history.folderLabel).fill(folder);
  await dialog.getByRole("button", { name: en.app.save }).click();
  await expect(dialog).toBeHidden();
}

test("conversations stand pinned ones first, then by folder, then the rest, the latest first", async ({ chat }) => {
  for (const question of [MARS, GOUDA, MOONS]) {
    await chat.begin();
    await chat.ask(question);
  }
  await expectListed(chat, [MOONS, GOUDA, MARS]);
  await move(chat, GOUDA, "Kitchen");
  await move(chat, MARS, "Astronomy");
  await expectListed(chat, ["Astronomy", MARS, "Kitchen", GOUDA, en.history.recent, MOONS]);
  await chat.act(MOONS, en.history.pin);
  await expectListed(chat, [en.history.pinned, MOONS, "Astronomy", MARS, "Kitchen", GOUDA]);
  await move(chat, MARS, "Kitchen");
  await expectListed(chat, [en.history.pinned, MOONS, "Kitchen", GOUDA, MARS]);
  await move(chat, GOUDA, "");
  await chat.act(MOONS, en.history.unpin);
  await expectListed(chat, ["Kitchen", MARS, en.history.recent, MOONS, GOUDA]);
});

test("all of that can be done by keyboard alone", async ({ chat, page }) => {
  const { keyboard } = page;
  await chat.ask(MARS);
  await expect.poll(() => listed(chat)).toEqual([MARS]);
  await keyboard.press("Control+k");
  // From the search down to the conversation, on to its actions, and down these.
  await keyboard.press("ArrowDown");
  await keyboard.press("Tab");
  await keyboard.press("Enter");
  const chosen = page.getByRole("menuitem", { name: en.history.folder });
  await expect(page.getByRole("menuitem").first()).toBeFocused();
  await keyboard.press("ArrowDown");
  await keyboard.press("ArrowDown");
  await expect(chosen).toBeFocused();
  await keyboard.press("Enter");
  const folder = page.getByRole("dialog", { name: en.history.folder });
  await expect(folder.getByLabel(en.history.folderLabel)).toBeFocused();
  await keyboard.type("Astronomy");
  await keyboard.press("Enter");
  await expect(folder).toBeHidden();
  await expectListed(chat, ["Astronomy", MARS]);

  await chat.tabTo(en.history.actions(MARS));
  await keyboard.press("Enter");
  await expect(page.getByRole("menuitem").first()).toBeFocused();
  await keyboard.press("ArrowDown");
  await keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: en.history.renameLabel })).toBeFocused();
  await keyboard.press("Control+a");
  await keyboard.type("The red planet");
  await keyboard.press("Enter");
  await expectListed(chat, ["Astronomy", "The red planet"]);

  await chat.tabTo(en.history.actions("The red planet"));
  await keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: en.history.pin, exact: true })).toBeFocused();
  await keyboard.press("Enter");
  await expectListed(chat, [en.history.pinned, "The red planet"]);
});

test("a folder folds by keyboard, and what is in it can be opened", async ({ chat, page }) => {
  await chat.ask(MARS);
  await move(chat, MARS, "Astronomy");
  await page.goto(chat.url);
  await expect.poll(() => listed(chat)).toEqual(["Astronomy", MARS]);
  await chat.tabTo("Astronomy");
  await page.keyboard.press("Enter");
  await expect(chat.conversations.getByRole("link", { name: MARS })).toBeHidden();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(chat.turns).toContainText(["iron dust"]);
});

test("a name of a folder that is too long, or means harm, is only text", async ({ chat, page, watch }) => {
  await chat.ask(MARS);
  await move(chat, MARS, `<img src=x onerror=globalThis.struck=1>${"w".repeat(100)}`);
  await expect.poll(async () => (await listed(chat))[0]).toMatch(/^<img src=x onerror=globalThis.struck=1>w*$/);
  await expectNoSidewaysScroll(page);
  expect(await watch.take(page)).toEqual([]);
});
