// A router all of whose specialists are gone.

import { expect, test } from "./fixtures.ts";
import { en } from "./harness/chat.ts";

test.use({ of: "ruins" });

test("the page says that nobody can be reached, and that an answer failed", async ({ chat, page }) => {
  await expect(page.getByText(en.start.allDown)).toBeVisible();
  await chat.put("why is Mars red");
  await expect(page.getByText(en.errors.busy)).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(1);
  await expect(chat.button(en.app.retry).or(chat.button(en.turn.regenerate)).first()).toBeVisible();
});
