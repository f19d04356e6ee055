// A router that nobody is registered with.

import { expect, test } from "./fixtures.ts";
import { observatory } from "./harness/fleets.ts";
import { en } from "./harness/chat.ts";
import { expectAccessible, picture } from "./harness/look.ts";

test.use({ of: "empty" });

test("the first run says how a specialist is added, and notices one", async ({ chat, federation, page }) => {
  await expect(page.getByText(en.start.none)).toBeVisible();
  await expect(page.getByText(/registry add/)).toBeVisible();
  await expectAccessible(page);
  await picture(page, "first-run");
  await federation.add([observatory]);
  await expect(page.getByText("City Observatory").first()).toBeVisible();
  await expect(page.getByText(en.start.none)).toBeHidden();
  await expect(await chat.ask("why is Mars red")).toContainText("iron dust");
  await federation.remove("observatory");
});

test("a fleet of nobody says how somebody is added to it", async ({ federation, page }) => {
  await page.goto(`${federation.url}/fleet`);
  await expect(page.getByText(en.start.noneText)).toBeVisible();
  // The command is whole but for the address of what is to be added.
  await expect(page.getByText(`--router ${federation.url}`)).toBeVisible();
  await expect(page.getByRole("table")).toHaveCount(0);
  await expectAccessible(page);
  await picture(page, "fleet-empty");
});
