// Notices whatever an answer might do beside being read.

import type { BrowserContext, Locator, Page } from "@playwright/test";

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

/**
 * What stands in a part of the page that only a specialist can have put there, and that none may. What matches `ours`
 * is the page's own.
 */
export async function intruders(part: Locator, ours = ":not(*)"): Promise<string[]> {
  return await part.evaluate((root, ours) => {
    const found = [];
    const banned = "script,iframe,object,embed,frame,form,input,textarea,select,video,audio,img,image,link,meta,base,style,dialog,foreignObject,portal";
    for (const element of root.querySelectorAll(banned)) {
      if (!element.matches(ours)) found.push(element.outerHTML.slice(0, 120));
    }
    for (const element of root.querySelectorAll("*")) {
      for (const { name, value } of element.attributes) {
        const leads = ["href", "xlink:href", "src", "action", "formaction"].includes(name);
        const harmless = /^(https?:\/\/|mailto:|\/|#)/.test(value);
        const styled = name === "style" && !element.matches(ours);
        if (name.startsWith("on") || styled || (leads && !harmless)) {
          found.push(`${name}=${value.slice(0, 120)}`);
        }
      }
    }
    return found;
  }, ours);
}

/**
 * Pieces of the page's words whose letters or digits do not run from left to right, since somebody else's words beside them said
 * so. `theirs` are those words: how they run themselves is their own affair. No words here are of a script that runs
 * from right to left.
 */
export async function flipped(page: Page, theirs: string[]): Promise<string[]> {
  return await page.evaluate((theirs) => {
    const found: string[] = [];
    const range = document.createRange();
    const place = (node: Text, at: number) => {
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      return range.getBoundingClientRect();
    };
    const runs = (node: Text, from: number, to: number) => {
      for (let at = from + 1; at < to; at += 1) {
        if (!/^[a-z0-9]{2}$/i.test(node.data.slice(at - 1, at + 1))) continue;
        const [left, right] = [place(node, at - 1), place(node, at)];
        if (left.top === right.top && right.left < left.left) return false;
      }
      return true;
    };
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = nodes.nextNode() as Text | null; node; node = nodes.nextNode() as Text | null) {
      let from = 0;
      // All that lies between their words.
      for (const piece of node.data.split(new RegExp(`(${theirs.join("|")})`))) {
        const to = from + piece.length;
        if (!/[\u202a-\u202e\u2066-\u2069]/.test(piece) && !runs(node, from, to)) found.push(piece.trim());
        from = to;
      }
    }
    return found;
  }, theirs.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
}
