// What a page may get into that its reader did not choose.

import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "./fixtures.ts";
import { en } from "./harness/chat.ts";
import { expectNoSidewaysScroll, NARROWEST } from "./harness/look.ts";

const MARS = "why is Mars red";

test("an empty page shows who answers here, and what could be asked", async ({ chat, page }) => {
  for (const who of ["Planets and their moons", "Guild of Dairies", "Chamber of Notaries"]) {
    await expect(page.getByText(who).first()).toBeVisible();
  }
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
  await context.setOffline(false);
  await expect(page.getByText(en.app.offline)).toBeHidden();
  await expect(await chat.ask("how many moons has Mars")).toContainText("Phobos");
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

test("too many questions are told to wait", async ({ chat, page }) => {
  await page.route("**/turns", (route) =>
    route.fulfill({
      status: 429,
      headers: { "retry-after": "7" },
      json: { error: { message: "too many questions", type: "rate_limit_error", param: null, code: "rate_limit_exceeded" } },
    }),
  );
  await chat.put(MARS);
  await expect(page.getByText(en.errors.quota(7))).toBeVisible();
  await page.unroute("**/turns");
  // The question is back where it was written.
  await expect(chat.composer).toHaveValue(MARS);
  await chat.composer.press("Enter");
  await expect(chat.turns).toContainText(["iron dust"]);
});

test("long words break, and text from right to left stands as it is written", async ({ chat, page }) => {
  await page.setViewportSize(NARROWEST);
  await chat.open();
  const long = "w".repeat(3000);
  const arabic = "لماذا المريخ أحمر";
  await chat.ask(long);
  await chat.ask(arabic);
  await expectNoSidewaysScroll(page);
  const direction = await chat.turns.getByText(arabic).evaluate((element) => getComputedStyle(element).direction);
  expect(direction).toBe("rtl");
});

for (const file of readdirSync(join(dirname(fileURLToPath(import.meta.url)), "../src/messages"))) {
  const code = file.replace(/\.ts$/, "");
  test(`the page speaks ${code}`, async ({ browser, federation }) => {
    const context = await browser.newContext({ locale: code });
    const page = await context.newPage();
    const words = (await import(`../src/messages/${code}.ts`)).default as typeof en;
    await page.goto(federation.url);
    await expect(page.locator("html")).toHaveAttribute("lang", code);
    const composer = page.getByRole("textbox", { name: words.composer.label });
    await composer.fill(MARS);
    await composer.press("Enter");
    await expect(page.getByRole("article")).toContainText("iron dust");
    await expect(page.getByRole("button", { name: words.turn.regenerate })).toBeVisible();
    await context.close();
  });
}
