// The page as a reader meets it: everything is found by its role and its name, as a screen reader finds it.

import { expect, type Locator, type Page, type Request } from "@playwright/test";

import en from "../../src/messages/en.ts";

export { en };

/** A text of the page's as a pattern that holds it, with anything in the places of what fills it. */
export const like = (make: (...filled: never[]) => string): RegExp => {
  const any = "\u0000";
  const text = (make as (...filled: unknown[]) => string)(any, any);
  return new RegExp(text.split(any).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*"));
};

/** After so many stops of the keyboard, what was looked for is not there. */
const STOPS_MAX = 100;

/** Keeps from `page` what it asks for at `address` until the returned function is called, which ends once it is there. */
export async function held(page: Page, address: string | RegExp): Promise<() => Promise<void>> {
  let release = () => {};
  const released = new Promise<void>((end) => (release = end));
  await page.route(address, async (route) => {
    await released;
    await route.continue();
  });
  return async () => {
    const asked = page.waitForResponse(address);
    release();
    await (await asked).finished();
  };
}

/** A reader before the page of the router at `url`. */
export class Chat {
  readonly #open = new Set<Request>();

  constructor(
    readonly page: Page,
    readonly url: string,
    private readonly words = en,
  ) {
    page.on("request", (request) => this.#open.add(request));
    page.on("requestfinished", (request) => this.#open.delete(request));
    page.on("requestfailed", (request) => this.#open.delete(request));
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: this.words.composer.label });
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

  /** Questions with their answers, the latest last. */
  get turns(): Locator {
    return this.log.getByRole("article");
  }

  /** What stands beside the conversation about an answer. */
  get panel(): Locator {
    return this.page.getByRole("dialog", { name: en.panel.title });
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

  /** Waits until the page waits for nothing more from the router. */
  async settled(): Promise<void> {
    // Requests are told in their order: with this one all that began before it are known.
    await this.page.evaluate(async () => void (await fetch("/icon.svg")).text());
    await expect.poll(() => this.#open.size).toBe(0);
  }

  /** Begins another conversation. */
  async begin(): Promise<void> {
    await this.page.getByRole("link", { name: en.history.fresh, exact: true }).click();
    await expect(this.turns).toHaveCount(0);
  }

  /** Sends a question, and waits for nothing. */
  async put(question: string): Promise<void> {
    await this.composer.fill(question);
    await this.composer.press("Enter");
  }

  /** Sends a question; its turn, once it has its whole answer. */
  async ask(question: string): Promise<Locator> {
    const before = await this.turns.count();
    await this.put(question);
    await expect(this.turns).toHaveCount(before + 1);
    return this.ended(this.turns.nth(before));
  }

  /** `turn`, once its answer has ended. */
  async ended(turn: Locator): Promise<Locator> {
    await expect(turn.getByRole("button", { name: en.turn.regenerate })).toBeVisible();
    // What draws it may come later than it, and would move what is pressed next.
    await expect(turn.locator(".answer, .abstention, .failed, .ended").first()).toBeVisible();
    return turn;
  }

  /** Walks by Tab alone, to whatever is called `name`. */
  async tabTo(name: string): Promise<void> {
    const focused = this.page.locator(":focus");
    for (let stops = 0; stops < STOPS_MAX; stops += 1) {
      await this.page.keyboard.press("Tab");
      const called = await focused.evaluateAll(([element]) => element && (element.getAttribute("aria-label") ?? element.textContent?.trim()));
      if (called === name) return;
    }
    throw new Error(`Tab does not come to ${name}`);
  }

  /** Opens the panel about the answer of `turn`. */
  async openPanel(turn: Locator): Promise<Locator> {
    await turn.getByRole("button", { name: en.turn.details, exact: true }).click();
    await expect(this.panel).toBeVisible();
    return this.panel;
  }

  /** Chooses what can be done with the conversation called `title`. */
  async act(title: string, action: string): Promise<void> {
    await this.conversations.getByRole("button", { name: en.history.actions(title) }).click();
    await this.page.getByRole("menuitem", { name: action, exact: true }).click();
  }
}
