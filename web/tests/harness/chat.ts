// The page as a reader meets it: everything is found by its role and its name, as a screen reader finds it.

import { expect, type Locator, type Page } from "@playwright/test";

import en from "../../src/messages/en.ts";

export { en };

/** A text of the page's as a pattern that holds it, with anything in the places of what fills it. */
export const like = (make: (...filled: never[]) => string): RegExp => {
  const any = "\u0000";
  const text = (make as (...filled: unknown[]) => string)(any, any);
  return new RegExp(text.split(any).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*"));
};

/** A reader before the page of the router at `url`. */
export class Chat {
  constructor(
    readonly page: Page,
    readonly url: string,
  ) {}

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: en.composer.label });
  }

  get send(): Locator {
    return this.page.getByRole("button", { name: en.composer.send, exact: true });
  }

  get stop(): Locator {
    return this.page.getByRole("button", { name: en.composer.stop, exact: true });
  }

  /** The whole conversation. */
  get log(): Locator {
    return this.page.getByRole("log");
  }

  /** Answers, the latest last. */
  get answers(): Locator {
    return this.log.getByRole("article", { name: en.turn.answer });
  }

  /** Questions, the latest last. */
  get questions(): Locator {
    return this.log.getByRole("article", { name: en.turn.you });
  }

  /** What stands beside the conversation about an answer. */
  get panel(): Locator {
    return this.page.getByRole("complementary", { name: en.panel.title });
  }

  /** Earlier conversations. */
  get conversations(): Locator {
    return this.page.getByRole("navigation", { name: en.history.title });
  }

  /** A button by its name. */
  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name, exact: typeof name === "string" });
  }

  async open(path = "/"): Promise<void> {
    await this.page.goto(this.url + path);
    await expect(this.composer).toBeVisible();
  }

  /** Begins another conversation. */
  async begin(): Promise<void> {
    await this.button(en.history.fresh).first().click();
    await expect(this.answers).toHaveCount(0);
  }

  /** Sends a question, and waits for nothing. */
  async put(question: string): Promise<void> {
    await this.composer.fill(question);
    await this.composer.press("Enter");
  }

  /** Sends a question; its answer, whole. */
  async ask(question: string): Promise<Locator> {
    const before = await this.answers.count();
    await this.put(question);
    await expect(this.answers).toHaveCount(before + 1);
    return this.ended(this.answers.nth(before));
  }

  /** `answer`, once it has ended. */
  async ended(answer: Locator): Promise<Locator> {
    await expect(answer.getByRole("button", { name: en.turn.regenerate })).toBeVisible();
    return answer;
  }

  /** Opens the panel about `answer`. */
  async openPanel(answer: Locator): Promise<Locator> {
    await answer.getByRole("button", { name: en.turn.details }).click();
    await expect(this.panel).toBeVisible();
    return this.panel;
  }

  /** Chooses what can be done with the conversation called `title`. */
  async act(title: string, action: string): Promise<void> {
    await this.conversations.getByRole("button", { name: en.history.actions(title) }).click();
    await this.page.getByRole("menuitem", { name: action, exact: true }).click();
  }
}
