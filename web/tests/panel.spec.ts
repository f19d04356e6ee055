// What stands behind an answer: whose words, which passages, who else was considered, and the receipt.

import { createHash } from "node:crypto";

import { expect, test } from "./fixtures.ts";
import { en } from "./harness/chat.ts";
import { ZOOMED } from "./harness/look.ts";

const MARS = "why is Mars red";
const RUSTED = "Mars is red because iron dust on its ground rusted.";

test("a number in the text opens its passage", async ({ chat }) => {
  const answer = await chat.ask(MARS);
  await answer.getByRole("button", { name: en.turn.source(1) }).click();
  await expect(chat.panel).toBeVisible();
  await expect(chat.panel).toContainText("Mars, colour");
  await expect(chat.panel).toContainText(`${RUSTED} Its sky is pale.`);
  await expect(chat.panel).toContainText("City Observatory");
  await expect(chat.panel).toContainText("CC0-1.0");
  const original = chat.panel.getByRole("link", { name: en.panel.openSource });
  await expect(original).toHaveAttribute("href", "https://example.org/observatory/0");
  await expect(original).toHaveAttribute("rel", /noopener/);
});

test("pointing at a sentence shows whose words it is", async ({ chat }) => {
  const answer = await chat.ask(MARS);
  await answer.getByText(RUSTED).hover();
  // Its card says the passage, too, and opens it.
  await expect(answer.getByText(RUSTED)).toHaveCount(2);
  await answer.getByRole("button", { name: /^Mars, colour$/ }).click();
  await expect(chat.panel).toContainText(`${RUSTED} Its sky is pale.`);
});

test("the panel says who was considered, and what became of each", async ({ chat }) => {
  const panel = await chat.openPanel(await chat.ask(MARS));
  for (const who of ["Planets and their moons", "City Observatory", en.status.answered]) {
    await expect(panel).toContainText(who ?? "");
  }
  await expect(panel).toContainText("Guild of Dairies");
  await panel.getByRole("button", { name: en.app.close }).click();
  await expect(chat.panel).toBeHidden();
});

test("a receipt is checked in the browser, with keys from elsewhere, too", async ({ chat, federation, page }) => {
  const panel = await chat.openPanel(await chat.ask(MARS));
  await panel.getByRole("button", { name: en.receipt.verify }).click();
  await expect(panel.getByText(en.receipt.verified).or(panel.getByText(en.receipt.unknown))).toBeVisible();
  const trust = { name: "trust.json", mimeType: "application/json", buffer: Buffer.from(await federation.trust()) };
  await panel.getByLabel(en.receipt.trust).setInputFiles(trust);
  await expect(panel).toContainText(en.receipt.verified);
  await expect(panel).toContainText(en.receipt.keysYours);
  const download = page.waitForEvent("download");
  await panel.getByRole("button", { name: en.receipt.download }).click();
  expect((await download).suggestedFilename()).toBe("receipt.json");
});

test("a receipt is in view once it is asked for, and what became of its check too", async ({ chat, page }) => {
  await page.setViewportSize(ZOOMED);
  const panel = await chat.openPanel(await chat.ask(MARS));
  const verify = panel.getByRole("button", { name: en.receipt.verify });
  await expect(verify).toBeInViewport();
  // As low as it can be pressed.
  await verify.evaluate((button) => button.scrollIntoView({ block: "end" }));
  await verify.press("Enter");
  await expect(panel.getByText(en.receipt.verified).or(panel.getByText(en.receipt.unknown))).toBeInViewport();
});

test("a receipt with one character changed is refused", async ({ chat, page }) => {
  const panel = await chat.openPanel(await chat.ask(MARS));
  let changed = false;
  await page.route("**/v1/receipts/*", async (route) => {
    const response = await route.fetch();
    const body = await response.text();
    // A character of what the router signed: of base64, so that it is still read.
    const at = body.indexOf('"payload":"') + '"payload":"'.length + 40;
    const other = body[at] === "A" ? "B" : "A";
    changed = body[at] !== undefined;
    await route.fulfill({ response, body: body.slice(0, at) + other + body.slice(at + 1) });
  });
  await panel.getByRole("button", { name: en.receipt.verify }).click();
  await expect(panel).toContainText(en.receipt.refused);
  await expect(panel).not.toContainText(en.receipt.verified);
  expect(changed).toBe(true);
});

test("the page says that its checking code is the router's, and names another with its digest", async ({ chat, page }) => {
  const panel = await chat.openPanel(await chat.ask(MARS));
  await expect(panel).toContainText(en.receipt.honest);
  const verifier = await page.request.get(`${chat.url}/verify.html`);
  const digest = createHash("sha256").update(await verifier.body()).digest("hex");
  await expect(panel).toContainText(digest);
  await expect(panel.getByRole("link", { name: en.receipt.standalone })).toHaveAttribute("href", "/verify.html");
});
