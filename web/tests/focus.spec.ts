// Whoever uses the keyboard goes on from where they were, also where what they pressed is gone.

import { expect, test } from "./fixtures.ts";
import { en } from "./harness/chat.ts";
import { PHONE } from "./harness/look.ts";

const MARS = "why is Mars red";

/** More than the list of conversations has for the keyboard. */
const STOPS = 20;

test("an edit that is given up leads back to its question", async ({ chat, page }) => {
  const turn = await chat.ask(MARS);
  const edit = turn.getByRole("button", { name: en.turn.edit });
  await edit.press("Enter");
  await expect(page.getByRole("textbox", { name: en.turn.editLabel })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(edit).toBeFocused();
});

test("who steps through versions can step on", async ({ chat }) => {
  const turn = await chat.ask(MARS);
  await turn.getByRole("button", { name: en.turn.regenerate }).press("Enter");
  await expect(turn).toContainText(en.turn.version(2, 2));
  await chat.ended(turn);
  const [before, after] = [chat.button(en.turn.before), chat.button(en.turn.after)];
  await before.press("Enter");
  await expect(turn).toContainText(en.turn.version(1, 2));
  await after.press("Enter");
  await expect(turn).toContainText(en.turn.version(2, 2));
  await chat.ended(turn);
  await before.focus();
  await before.press("Enter");
  await expect(turn).toContainText(en.turn.version(1, 2));
});

test("a conversation that is put elsewhere takes along whoever put it there", async ({ chat, page }) => {
  await chat.ask(MARS);
  const actions = chat.conversations.getByRole("button", { name: en.history.actions(MARS) });
  await actions.press("Enter");
  await page.getByRole("menuitem", { name: en.history.pin, exact: true }).press("Enter");
  await expect(chat.conversations.getByRole("heading", { name: en.history.pinned })).toBeVisible();
  await expect(actions).toBeFocused();
});

test("the list of conversations over a narrow page has the keyboard until it is left", async ({ chat, page }) => {
  await chat.ask(MARS);
  await page.setViewportSize(PHONE);
  const opener = chat.button(en.app.openSidebar);
  await opener.press("Enter");
  await expect(chat.button(en.app.closeSidebar)).toBeFocused();
  // Nothing behind it can be come to, however often the list is gone through.
  for (let stops = 0; stops < STOPS; stops += 1) {
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.closest("main"))).toBeNull();
  }
  await chat.button(en.app.closeSidebar).focus();
  await page.keyboard.press("Escape");
  await expect(chat.conversations).toBeHidden();
  await expect(opener).toBeFocused();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("searchbox", { name: en.history.search })).toBeFocused();
});
