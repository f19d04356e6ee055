// A router that nobody is registered with.

import { expect, test } from "./fixtures.ts";
import { observatory } from "./harness/fleets.ts";
import { en } from "./harness/chat.ts";

test.use({ of: "empty" });

test("the first run says how a specialist is added, and notices one", async ({ chat, federation, page }) => {
  await expect(page.getByText(en.start.none)).toBeVisible();
  await expect(page.getByText(/registry add/)).toBeVisible();
  await federation.add([observatory]);
  await expect(page.getByText("City Observatory").first()).toBeVisible();
  await expect(page.getByText(en.start.none)).toBeHidden();
  await expect(await chat.ask("why is Mars red")).toContainText("iron dust");
  await federation.remove("observatory");
});
