// Every language that the page speaks is spoken throughout: whatever reads as it does in English is said by the router
// or by a specialist, or is the same word in both.

import { readdirSync } from "node:fs";

import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures.ts";
import { Chat, en, like } from "./harness/chat.ts";
import { library, town } from "./harness/fleets.ts";
import { expectNoSidewaysScroll, PHONE, picture } from "./harness/look.ts";

const others = readdirSync(new URL("../src/messages", import.meta.url))
  .map((file) => file.replace(/\.ts$/, ""))
  .filter((code) => code !== "en");

const MARS = "why is Mars red";
const WILL = "who inherits without a will";

type Messages = { [name: string]: string | ((...filled: never[]) => string) | Messages | string[] };

/** Patterns of all texts of some messages, each of which fits a text from its beginning to its end. */
function patterns(messages: Messages): RegExp[] {
  return Object.values(messages).flatMap((text) => {
    if (typeof text === "object") return patterns(text as Messages);
    return [new RegExp(`^(?:${like(typeof text === "function" ? text : () => text).source})$`, "s")];
  });
}

/** Every text in what was said. */
function strings(said: unknown): string[] {
  if (typeof said === "string") return [said];
  return typeof said === "object" && said !== null ? Object.values(said).flatMap(strings) : [];
}

/** All that is read or heard on the page but for questions, answers and rules, which are said in their own language. */
async function said(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const found = new Set<string>();
    const theirs = ".bubble, .answer .words, .own, .speaker, .brand, .digest, .id, pre, code, q, kbd, option, .conversation-title, [lang]:not(html)";
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
      const element = node.parentElement;
      if (element && !element.closest(theirs) && element.checkVisibility()) found.add(node.nodeValue?.trim() ?? "");
    }
    for (const element of document.body.querySelectorAll("[aria-label], [placeholder], [title]")) {
      if (element.closest(theirs)) continue;
      for (const name of ["aria-label", "placeholder", "title"]) found.add(element.getAttribute(name)?.trim() ?? "");
    }
    return [...found].filter((text) => /\p{L}{2}/u.test(text));
  });
}

/** Each state of the page, made from the one before. */
const states: [string, (chat: Chat, words: typeof en) => Promise<unknown>][] = [
  ["empty", async () => {}],
  ["answer", async ({ page, composer }, words) => {
    await composer.fill(MARS);
    await composer.press("Enter");
    await expect(page.getByRole("button", { name: words.turn.regenerate })).toBeVisible();
  }],
  ["panel", async ({ page }, words) => {
    await page.getByRole("button", { name: words.turn.details, exact: true }).click();
    await page.getByRole("button", { name: words.receipt.verify }).click();
    await expect(page.getByRole("dialog")).toContainText(words.receipt.looked);
  }],
  ["consent", async ({ page, composer }, words) => {
    await page.keyboard.press("Escape");
    await composer.fill(WILL);
    await composer.press("Enter");
    await expect(page.getByRole("dialog", { name: words.preview.needsTitle })).toBeVisible();
  }],
  ["general", async ({ page, composer }, words) => {
    await page.keyboard.press("Escape");
    await composer.fill("quantum chromodynamics lagrangian");
    await composer.press("Enter");
    await expect(page.getByRole("button", { name: words.turn.regenerate })).toHaveCount(2);
  }],
  ["reason", async ({ page }, words) => {
    await page.getByRole("button", { name: words.turn.bad }).last().click();
    await expect(page.getByText(words.feedback.title, { exact: true })).toBeVisible();
  }],
  ["choosing", async ({ page }, words) => {
    await page.getByRole("button", { name: words.composer.who }).click();
    await expect(page.getByRole("searchbox", { name: words.composer.menuFind })).toBeFocused();
  }],
  ["conversations", async ({ page }, words) => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.getByRole("button", { name: words.app.settings, exact: true }).click();
    await page.getByRole("button", { name: words.history.actions(MARS) }).click();
    await expect(page.getByRole("menuitem", { name: words.history.folder })).toBeVisible();
  }],
  ["share", async ({ page }, words) => {
    await page.getByRole("menuitem", { name: words.history.share, exact: true }).click();
    await page.getByRole("button", { name: words.share.make }).click();
    await expect(page.getByRole("button", { name: words.share.revoke })).toBeVisible();
  }],
  ["fleet", async ({ page, url }, words) => {
    await page.goto(`${url}/fleet`);
    await page.locator("details").first().waitFor();
    await page.locator("details").evaluateAll((all: HTMLDetailsElement[]) => all.forEach((one) => (one.open = true)));
    await expect(page.getByRole("heading", { name: words.fleet.examined })).toBeVisible();
  }],
  ["about", async ({ page, url }, words) => {
    await page.goto(`${url}/about`);
    await expect(page.getByRole("searchbox", { name: words.about.search })).toBeVisible();
    await page.locator("details summary").first().click();
    await expect(page.getByText(words.about.fits)).toBeVisible();
  }],
];

/** Buttons and headings whose words do not fit into them. */
async function cutOff(page: Page): Promise<string[]> {
  return await page.evaluate(() =>
    [...document.querySelectorAll("button, a, h1, h2, h3, label, summary, p, dt, dd, th")]
      .filter((element) => element.checkVisibility() && !element.closest(".hidden, [role=region], .conversations"))
      .filter((element) => {
        const { overflowX, display } = getComputedStyle(element);
        const { right, left } = element.getBoundingClientRect();
        const hides = overflowX !== "visible" && element.scrollWidth > element.clientWidth;
        return display !== "inline" && (hides || right > innerWidth + 1 || left < -1);
      })
      .map((element) => element.outerHTML.slice(0, 160)),
  );
}

test("every language is spoken throughout, and fits a phone", async ({ browser, federation }) => {
  // What the router and the specialists say is in their own words.
  const theirs = strings([await federation.report(), [...town, library]]);
  const english = new Map<string, string[]>();
  for (const code of ["en", ...others]) {
    const context = await browser.newContext({ locale: code, viewport: PHONE, reducedMotion: "reduce" });
    const page = await context.newPage();
    const words = (await import(`../src/messages/${code}.ts`)).default as typeof en;
    const spoken = patterns(words as Messages);
    const chat = new Chat(page, federation.url, words);
    await chat.open();
    await expect(page.locator("html")).toHaveAttribute("lang", code);
    for (const [state, reach] of states) {
      await test.step(`${code}: ${state}`, async () => {
        await reach(chat, words);
        const texts = await said(page);
        if (code === "en") english.set(state, texts);
        const known = (part: string) => !/\p{L}{2}/u.test(part) || part === "SHA-256" || spoken.some((one) => one.test(part)) || theirs.some((one) => one.includes(part));
        const left = texts.filter((text) => english.get(state)?.includes(text) && !text.split(" · ").every(known));
        if (code !== "en") expect.soft(left, `${code}: ${state}: what is English still`).toEqual([]);
        expect.soft(await cutOff(page), `${code}: ${state}: what is cut off`).toEqual([]);
        await expectNoSidewaysScroll(page);
        await picture(page, `${code}-${state}`);
      });
    }
    await context.close();
  }
});
