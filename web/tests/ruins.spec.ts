// A router all of whose specialists are gone.

import { expect, test } from "./fixtures.ts";
import { en } from "./harness/chat.ts";

test.use({ of: "ruins" });

test("the page says that nobody can be reached, and that an answer failed", async ({ chat, page }) => {
  await expect(page.getByText(en.start.allDown)).toBeVisible();
  await chat.put("why is Mars red");
  await expect(chat.turns.or(page.getByRole("alert"))).toContainText([/none of the specialists|busy/]);
  await expect(chat.button(en.app.retry)).toBeVisible();
});
