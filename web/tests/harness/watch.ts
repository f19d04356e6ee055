// Notices whatever an answer might do beside being read.

import type { BrowserContext, Page } from "@playwright/test";

declare global {
  // What hostile answers set (`hostile.ts`), and what the browser refused them.
  var struck: unknown;
  var refused: string[] | undefined;
}

/** What happened in a context that no answer may cause. */
export class Watch {
  private readonly seen: string[] = [];

  private constructor(private readonly context: BrowserContext) {}

  /** Watches all pages of `context`; those that they open too. Nothing leaves for another origin. */
  static async over(context: BrowserContext, origin: string): Promise<Watch> {
    const watch = new Watch(context);
    await context.addInitScript(() => {
      // What the policy has to stop was let through by the page.
      addEventListener("securitypolicyviolation", (event) => {
        (globalThis.refused ??= []).push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`);
      });
    });
    await context.route(
      (url) => ["http:", "https:"].includes(url.protocol) && url.origin !== origin,
      async (route) => {
        watch.seen.push(`a request of ${route.request().url()}`);
        await route.abort();
      },
    );
    context.on("page", (page) => watch.over(page));
    context.pages().forEach((page) => watch.over(page));
    return watch;
  }

  private over(page: Page): void {
    if (this.context.pages().length > 1) {
      this.seen.push(`a window with ${page.url()}`);
    }
    page.on("dialog", async (dialog) => {
      this.seen.push(`a dialog that says ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("websocket", (socket) => this.seen.push(`a socket to ${socket.url()}`));
  }

  /** All that was seen since it was asked last. */
  async take(page: Page): Promise<string[]> {
    const inside = await page.evaluate(() => {
      const refused = (globalThis.refused ?? []).map((what) => `refused by the policy: ${what}`);
      const struck = globalThis.struck === undefined ? [] : ["a script ran"];
      globalThis.refused = undefined;
      globalThis.struck = undefined;
      return [...refused, ...struck];
    });
    return [...this.seen.splice(0), ...inside];
  }
}
