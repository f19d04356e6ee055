// Who sees a question is the asker's to say.

import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures.ts";
import { Chat, en } from "./harness/chat.ts";
import { clinics, dairy, observatory } from "./harness/fleets.ts";

const MARS = "why is Mars red";
const WILL = "who inherits without a will";

/** Questions that left for the router, with what was wished. */
function sent(page: Page): unknown[] {
  const options: unknown[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/turns")) {
      options.push(request.postDataJSON());
    }
  });
  return options;
}

test("before the first word leaves, the page asks for the consent that a card asks for", async ({ chat, page }) => {
  const questions = sent(page);
  await chat.put(WILL);
  const dialog = page.getByRole("dialog", { name: en.preview.needsTitle });
  await expect(dialog).toContainText("Chamber of Notaries");
  expect(questions).toEqual([]);
  await dialog.getByRole("button", { name: en.preview.agree }).click();
  const answer = await chat.ended(chat.turns.last());
  await expect(answer).toContainText("Without a will the next of kin inherit.");
  expect(questions).toEqual([expect.objectContaining({ options: expect.objectContaining({ consent: ["notary"] }) })]);
});

test("who asks for consent can be left out", async ({ chat, page }) => {
  const questions = sent(page);
  await chat.put(WILL);
  const dialog = page.getByRole("dialog", { name: en.preview.needsTitle });
  await dialog.getByRole("button", { name: en.preview.without }).click();
  const answer = await chat.ended(chat.turns.last());
  await expect(answer).not.toContainText("next of kin");
  expect(questions).toEqual([expect.objectContaining({ options: expect.not.objectContaining({ consent: ["notary"] }) })]);
});

test("where several ask for consent, nobody is agreed to beforehand", async ({ page, start }) => {
  const asking = clinics.map((clinic) => ({ ...clinic, asksConsent: true }));
  const { url } = await start({ institutions: asking, generous: true });
  const [chat, questions] = [new Chat(page, url), sent(page)];
  await chat.open();
  await chat.put("how much zinc do children with diarrhoea take");
  const dialog = page.getByRole("dialog", { name: en.preview.needsTitle });
  const agree = dialog.getByRole("button", { name: en.preview.agree });
  await expect(dialog.getByRole("checkbox", { checked: false })).toHaveCount(2);
  await expect(agree).toBeDisabled();
  await dialog.getByRole("checkbox", { name: /south/ }).check();
  await agree.click();
  const answer = await chat.ended(chat.turns.last());
  await expect(answer).toContainText("20 mg");
  await expect(answer).not.toContainText("10 mg");
  expect(questions).toEqual([expect.objectContaining({ options: expect.objectContaining({ consent: ["south"], exclude: ["north"] }) })]);
});

test("whom nobody is sure of can be asked all the same", async ({ page, start }) => {
  const { url } = await start({ institutions: [observatory, dairy] });
  const [chat, questions] = [new Chat(page, url), sent(page)];
  await chat.open();
  const turn = await chat.ask("which tax does a partnership pay");
  await expect(turn).toContainText(en.turn.considered);
  await turn.getByRole("button", { name: `${en.turn.anyway}: Planets and their moons` }).click();
  await expect(chat.turns.last()).toContainText(en.turn.version(2, 2));
  await chat.ended(chat.turns.last());
  expect(questions.at(-1)).toEqual(expect.objectContaining({ options: expect.objectContaining({ only: ["observatory"] }) }));
});

test("the page says before who would see a question", async ({ chat, page }) => {
  const questions = sent(page);
  await chat.composer.fill(MARS);
  await chat.button(en.composer.preview).click();
  const preview = page.getByRole("dialog", { name: en.preview.title });
  await expect(preview).toContainText("City Observatory");
  await expect(preview).toContainText(en.preview.sees);
  expect(questions).toEqual([]);
});

test("one specialist is left out of one question", async ({ chat, page }) => {
  await chat.button(en.composer.who).click();
  const menu = page.getByRole("dialog", { name: en.composer.menuTitle });
  await menu.getByRole("button", { name: `${en.composer.menuWithout}: Planets and their moons` }).click();
  await expect(page.getByText(en.composer.without("Planets and their moons"))).toBeVisible();
  const answer = await chat.ask(MARS);
  await expect(answer).not.toContainText("iron dust");
  // Only for that question.
  await expect(page.getByText(en.composer.without("Planets and their moons"))).toHaveCount(0);
  await expect(await chat.ask(MARS)).toContainText("iron dust");
});

test("only one specialist is asked", async ({ chat, page }) => {
  const questions = sent(page);
  await chat.button(en.composer.who).click();
  const menu = page.getByRole("dialog", { name: en.composer.menuTitle });
  await menu.getByRole("button", { name: `${en.composer.menuOnly}: Cheese and how it is made` }).click();
  await chat.ask(MARS);
  expect(questions).toEqual([expect.objectContaining({ options: expect.objectContaining({ only: ["dairy"] }) })]);
});
