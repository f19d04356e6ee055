// A router all of whose specialists are gone.

import { expect, test } from "./fixtures.ts";
import { en } from "./harness/chat.ts";
import { picture } from "./harness/look.ts";

test.use({ of: "ruins" });

test("the page says that nobody can be reached, and that an answer failed", async ({ chat, page }) => {
  await expect(page.getByText(en.start.allDown)).toBeVisible();
  await picture(page, "all-down");
  await chat.put("why is Mars red");
  await expect(chat.turns).toContainText([en.turn.failed]);
  await expect(chat.turns.getByRole("button", { name: en.app.retry })).toBeVisible();
  // Who was tried is said all the same.
  await expect(await chat.openPanel(chat.turns.last())).toContainText("Planets and their moons");
  await picture(page, "all-down-asked");
});
