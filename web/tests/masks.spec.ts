// What hostile cards, titles, passages and addresses do in a reader's page, and in what is taken along: nothing.

import { readFileSync } from "node:fs";

import { marked } from "marked";
import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures.ts";
import { type Chat, en } from "./harness/chat.ts";
import { expectNoSidewaysScroll, NARROWEST, picture } from "./harness/look.ts";
import { flipped, intruders, Watch } from "./harness/watch.ts";
import { kinds, questionOf, theirs } from "./masks.ts";

test.use({ of: "masks" });

/** Switches and fields of the page, its bars, and the card that stands where one points. */
const OURS = "input, .bar > span, .card";

/** Nobody notices anything but words. */
async function expectOnlyText(page: Page, watch: Watch, where: string): Promise<void> {
  await test.step(where, async () => {
    for (const part of await page.locator(".start, .fleet, [role=log], dialog, .chooser").all()) {
      expect.soft(await intruders(part, OURS), where).toEqual([]);
    }
    // No words of theirs lead anywhere in the router's own.
    expect.soft(await page.locator(".own a, a .own").count(), `${where}: links in the router's words`).toBe(0);
    expect.soft(await flipped(page, theirs), `${where}: what is flipped`).toEqual([]);
    expect.soft(await watch.take(page), where).toEqual([]);
    await expectNoSidewaysScroll(page);
  });
}

/** Asks, and agrees to whatever is asked for. */
async function ask(chat: Chat, question: string, onConsent: () => Promise<void>) {
  await chat.put(question);
  const consent = chat.page.getByRole("dialog", { name: en.preview.needsTitle });
  const answering = chat.turns.first();
  await expect(consent.or(answering).first()).toBeVisible();
  if (await consent.isVisible()) {
    await onConsent();
    await consent.getByRole("button", { name: en.preview.agree }).click();
  }
  return chat.ended(answering);
}

test("the empty page and the list of whom to ask show hostile cards as text", async ({ chat, page, watch }) => {
  await page.setViewportSize(NARROWEST);
  await chat.open();
  await expect(page.getByRole("heading", { name: en.start.title })).toBeVisible();
  await expectOnlyText(page, watch, "the empty page");
  await picture(page, "masks-start");
  await chat.button(en.composer.who).click();
  await expect(page.getByRole("dialog", { name: en.composer.menuTitle })).toBeVisible();
  await expectOnlyText(page, watch, "whom to ask");
  await picture(page, "masks-chooser");
});

test("the page of the fleet shows hostile cards as text", async ({ federation, page, watch }) => {
  await page.goto(`${federation.url}/fleet`);
  const more = page.getByText(en.fleet.more);
  await expect(more).toHaveCount(kinds.length);
  await page.locator("details").evaluateAll((all: HTMLDetailsElement[]) => all.forEach((one) => (one.open = true)));
  await expectOnlyText(page, watch, "a desk");
  await picture(page, "masks-fleet");
  await page.setViewportSize(NARROWEST);
  await page.reload();
  await expect(more).toHaveCount(kinds.length);
  await expectOnlyText(page, watch, "a narrow window");
});

for (const kind of kinds) {
  test(`an institution of ${kind} is asked, answers and is looked into as text`, async ({ chat, page, watch }) => {
    const turn = await ask(chat, questionOf(kind), async () => {
      await expectOnlyText(page, watch, "consent");
      await picture(page, `masks-consent-${kind}`);
    });
    await expectOnlyText(page, watch, "the answer");
    await turn.locator(".words").first().hover();
    await expect(page.getByRole("tooltip")).toBeVisible();
    await expectOnlyText(page, watch, "what is said of a sentence");
    await picture(page, `masks-answer-${kind}`);
    // What is shown there goes away, and uncovers what it covers.
    await page.keyboard.press("Escape");
    await expect(page.getByRole("tooltip")).toHaveCount(0);
    await chat.openPanel(turn);
    await chat.panel.locator("details").evaluateAll((all: HTMLDetailsElement[]) => all.forEach((source) => (source.open = true)));
    await expectOnlyText(page, watch, "the panel");
    await picture(page, `masks-panel-${kind}`);
    for (const link of await chat.panel.getByRole("link", { name: en.panel.openSource }).all()) {
      expect(new URL((await link.getAttribute("href")) ?? "").protocol).toBe("https:");
    }
  });
}

test("what is taken along is only text, too, wherever it is read", async ({ browser, chat, page }) => {
  const context = await browser.newContext();
  const elsewhere = await Watch.over(context, chat.url);
  const reader = await context.newPage();
  for (const kind of kinds) {
    await chat.begin();
    await ask(chat, questionOf(kind), async () => {});
    const download = page.waitForEvent("download");
    await chat.act(questionOf(kind), en.history.exportMarkdown);
    const markdown = readFileSync(await (await download).path(), "utf8");
    expect(markdown).toContain(questionOf(kind));
    // As a program that allows everything shows it.
    await reader.goto(`${chat.url}/v1/policy`);
    await reader.setContent(await marked(markdown));
    expect.soft(await elsewhere.take(reader), kind).toEqual([]);
    expect.soft(await intruders(reader.locator("body")), kind).toEqual([]);
  }
  await context.close();
});
