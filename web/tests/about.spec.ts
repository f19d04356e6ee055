// The page about the rules in force: they are those that the router follows, and can be checked.

import { createHash } from "node:crypto";

import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures.ts";
import { en } from "./harness/chat.ts";
import { expectAccessible, expectNoSidewaysScroll, looks, NARROWEST, picture, wear, ZOOMED } from "./harness/look.ts";
import type { Federation } from "./harness/router.ts";

const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");

interface Rule {
  name: string;
  sha256: string;
  text: string;
}

async function open(page: Page, federation: Federation): Promise<void> {
  await page.goto(`${federation.url}/about`);
  await expect(page.getByRole("heading", { name: en.about.heading })).toBeVisible();
  await expect(page.getByRole("searchbox", { name: en.about.search })).toBeVisible();
}

test("every rule that the router follows is shown, whole and with its digest", async ({ page, federation }) => {
  await open(page, federation);
  const { rules }: { rules: Rule[] } = await (await fetch(`${federation.url}/v1/policy`)).json();
  expect(rules.length).toBeGreaterThan(10);
  await expect(page.getByText(en.about.found(rules.length, rules.length), { exact: true })).toBeVisible();
  const shown = page.locator("details");
  await shown.evaluateAll((all: HTMLDetailsElement[]) => all.forEach((rule) => (rule.open = true)));
  await expect(page.getByText(en.about.fits)).toHaveCount(rules.length);
  await expect(shown.locator("summary > :first-child")).toHaveText(rules.map(({ name }) => name));
  await expect(shown).toContainText(rules.map((rule) => rule.sha256));
  expect(rules.map(({ text }) => sha256(text))).toEqual(rules.map((rule) => rule.sha256));
  // Settings are set apart on lines of their own; nothing else is changed.
  const plain = (text: string) => (/^[{[]/.test(text) ? JSON.stringify(JSON.parse(text)) : text);
  const texts = await shown.locator("pre").allTextContents();
  expect(texts.map(plain)).toEqual(rules.map(({ text }) => plain(text)));
});

test("rules are found by their words", async ({ page, federation }) => {
  await open(page, federation);
  const { rules }: { rules: Rule[] } = await (await fetch(`${federation.url}/v1/policy`)).json();
  const search = page.getByRole("searchbox", { name: en.about.search });
  await search.fill("general library");
  const found = rules.filter(({ name, text }) => ["general", "library"].every((word) => `${name} ${text}`.includes(word)));
  expect(found.length).toBeGreaterThan(0);
  await expect(page.locator("details")).toHaveCount(found.length);
  await search.fill("nothingofthekind");
  await expect(page.getByText(en.about.found(0, rules.length), { exact: true })).toBeVisible();
});

test("a rule that is not what its digest says is told apart", async ({ page, federation }) => {
  await page.route("**/v1/policy", async (route) => {
    const response = await route.fetch();
    const { rules, ...rest } = await response.json();
    const [first, ...others] = rules;
    await route.fulfill({ response, json: { ...rest, rules: [{ ...first, text: `${first.text} ` }, ...others] } });
  });
  await open(page, federation);
  await page.locator("details summary").first().click();
  await expect(page.locator("details").first()).toContainText(en.about.differs);
});

test("the verifier has the digest that is named, and the logs can be had", async ({ page, federation }) => {
  await open(page, federation);
  for (const [name, path] of [[en.about.receipts, "/log/receipts/checkpoint"], [en.about.registry, "/log/registry/checkpoint"], [en.about.policy, "/v1/policy"]]) {
    await expect(page.getByRole("link", { name, exact: true })).toHaveAttribute("href", path ?? "");
    expect((await page.request.get(federation.url + path)).ok(), name).toBe(true);
  }
  const verifier = await page.request.get(`${federation.url}/verify.html`);
  await expect(page.getByText(`SHA-256 ${sha256(await verifier.body())}`)).toBeVisible();
  await page.getByRole("link", { name: en.about.verifier, exact: true }).click();
  await expect(page).toHaveURL(`${federation.url}/verify.html`);
  await expect(page.getByRole("heading").first()).toBeVisible();
});

for (const look of looks) {
  test(`nothing of it is out of reach: ${look.name}`, async ({ page, federation }) => {
    await wear(page, look);
    await open(page, federation);
    await picture(page, `about-${look.name}`);
    await page.locator("details summary").first().click();
    await expect(page.getByText(en.about.fits)).toBeVisible();
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
  });
}

test("it fits a narrow window and one at 200 %", async ({ page, federation }) => {
  for (const [name, viewport] of Object.entries({ narrowest: NARROWEST, zoomed: ZOOMED })) {
    await page.setViewportSize(viewport);
    await open(page, federation);
    await expectNoSidewaysScroll(page);
    await picture(page, `about-${name}`);
  }
});
