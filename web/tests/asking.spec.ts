// Asking, and what a reader does with questions and answers.

import { expect, test } from "./fixtures.ts";
import { Chat, en, held } from "./harness/chat.ts";

declare global {
  // What was told to those who do not see.
  var told: string[];
}

const MARS = "why is Mars red";
const RUSTED = "Mars is red because iron dust on its ground rusted.";

test("an answer says whose it is", async ({ chat, page }) => {
  const answer = await chat.ask(MARS);
  await expect(answer).toContainText(RUSTED);
  await expect(answer).toContainText("City Observatory");
  await expect(answer).toContainText("Written for visitors of the observatory.");
  await expect(page).toHaveURL(/\/c\/[^/]+$/);
  // It is still there when the page is loaded anew.
  await page.reload();
  await expect(chat.turns).toContainText([MARS]);
  await expect(chat.turns).toContainText([RUSTED]);
});

test("a long answer is read from its beginning, and its end can be gone to", async ({ page, start }) => {
  const sentences = Array.from({ length: 60 }, (_, at) => ({ say: `Fact ${at} about basalt stands here. ` }));
  const basalt = { id: "basalt", title: "Basalt", institution: "Institute of Basalt", exampleQuestions: ["what is basalt"], steps: sentences };
  const { url } = await start({ institutions: [basalt] });
  const chat = new Chat(page, url);
  await page.setViewportSize({ width: 390, height: 640 });
  await chat.open();
  for (const _ of [1, 2]) {
    const turn = await chat.ask("what is basalt");
    await expect(turn.getByText("what is basalt")).toBeInViewport();
    await expect(turn.getByText("Fact 0 about")).toBeInViewport();
    await expect(turn.getByText("Fact 59 about")).not.toBeInViewport();
    await turn.getByRole("button", { name: en.turn.regenerate }).scrollIntoViewIfNeeded();
    await expect(turn.getByText("Fact 59 about")).toBeInViewport();
  }
  // Only the conversation is scrolled, however long it is.
  expect(await page.evaluate(() => document.documentElement.scrollHeight - innerHeight)).toBe(0);
});

test("nothing moves below a question once there are buttons to press, however late what draws answers comes", async ({ chat, page }) => {
  const release = await held(page, /\/assets\/view-/);
  await chat.put(MARS);
  await expect(page).toHaveURL(/\/c\/[^/]+$/);
  const kept = page.url().replace("/c/", "/v1/conversations/");
  await expect.poll(async () => (await (await page.request.get(kept)).json()).turns[0]?.state).toBe("done");
  await expect(chat.turns).toContainText([en.turn.routing]);
  await expect(chat.button(en.turn.regenerate)).toHaveCount(0);
  await release();
  await expect(chat.button(en.turn.regenerate)).toBeVisible();
  await expect(chat.turns).toContainText([RUSTED]);
});

test("a screen reader hears once that an answer is ready, and not its words as they come", async ({ chat, page }) => {
  await page.evaluate(() => {
    globalThis.told = [];
    new MutationObserver(() => {
      for (const region of document.querySelectorAll("[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]")) {
        if (region.textContent !== "" && region.textContent !== globalThis.told.at(-1)) globalThis.told.push(region.textContent ?? "");
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await chat.put("when does the ferry leave");
  await expect(chat.turns).toContainText(["It comes back"]);
  await expect(chat.log).toHaveAttribute("aria-live", "off");
  await chat.stop.click();
  await chat.ask(MARS);
  await expect.poll(() => page.evaluate(() => globalThis.told)).toEqual([en.turn.ready]);
});

test("a question follows up on another", async ({ chat }) => {
  await chat.ask(MARS);
  const answer = await chat.ask("how many moons has Mars");
  await expect(answer).toContainText("Phobos and Deimos");
  await expect(chat.turns).toContainText([RUSTED, "Phobos"]);
});

test("what was said before a reader stops is kept", async ({ chat, page }) => {
  await chat.put("when does the ferry leave");
  await expect(chat.turns).toContainText(["The ferry leaves at noon."]);
  await chat.stop.click();
  await expect(chat.log).toContainText(en.turn.stopped);
  await expect(chat.stop).toBeHidden();
  await page.reload();
  await expect(chat.turns).toContainText(["The ferry leaves at noon."]);
  await expect(chat.log).toContainText(en.turn.stopped);
  // The composer is ready for another question.
  await expect(await chat.ask(MARS)).toContainText(RUSTED);
});

test("asking again makes another version, and the first stays", async ({ chat }) => {
  const answer = await chat.ask(MARS);
  await answer.getByRole("button", { name: en.turn.regenerate }).click();
  await expect(chat.turns).toContainText([en.turn.version(2, 2)]);
  await chat.ended(chat.turns.last());
  await expect(chat.turns).toHaveCount(1);
  await chat.button(en.turn.before).click();
  await expect(chat.turns).toContainText([en.turn.version(1, 2)]);
  await expect(chat.turns).toContainText([RUSTED]);
});

test("a question can be put in other words, and the first ones stay", async ({ chat }) => {
  await chat.ask("how many moons has Mars");
  await chat.turns.first().getByRole("button", { name: en.turn.edit }).click();
  const field = chat.page.getByRole("textbox", { name: en.turn.editLabel });
  await field.fill(MARS);
  await field.press("Enter");
  await expect(chat.turns).toContainText([MARS]);
  await expect(chat.turns).toContainText([RUSTED]);
  await chat.ended(chat.turns.last());
  await chat.button(en.turn.before).click();
  await expect(chat.turns).toContainText(["Phobos"]);
});

test("a block that broke off says that it is incomplete", async ({ chat }) => {
  const answer = await chat.ask("which mushrooms are poisonous");
  await expect(answer).toContainText("Death caps are poisonous, and");
  await expect(answer).toContainText("Mushrooms of the forest broke off here: the words above are incomplete.");
});

test("what nobody covers goes to the general specialist, and says so", async ({ chat }) => {
  const answer = await chat.ask("quantum chromodynamics lagrangian");
  await expect(answer).toContainText("No specialist here covers this question");
  await expect(answer).toContainText("The reading room is open until eight.");
});

test("an answer can be copied", async ({ chat, context, page }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const answer = await chat.ask(MARS);
  await answer.getByRole("button", { name: en.turn.copy }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain(RUSTED);
});

test("a thumb with a reason is kept, and can be taken back", async ({ chat, page }) => {
  const answer = await chat.ask(MARS);
  await answer.getByRole("button", { name: en.turn.bad }).click();
  await page.getByRole("button", { name: en.feedback.reasons.incomplete }).click();
  const thumb = chat.turns.first().getByRole("button", { name: en.turn.bad });
  await expect(thumb).toHaveAttribute("aria-pressed", "true");
  const kept = async () => {
    const conversation = await page.request.get(page.url().replace("/c/", "/v1/conversations/"));
    return (await conversation.json()).turns[0].feedback;
  };
  await expect.poll(kept).toEqual({ rating: "down", reason: "incomplete" });
  await page.reload();
  await expect(thumb).toHaveAttribute("aria-pressed", "true");
  await thumb.click();
  await expect(thumb).toHaveAttribute("aria-pressed", "false");
  await expect.poll(kept).toBeNull();
});
