// How a page looks: in which windows, in pictures, and to whoever does not see it.

import { join } from "node:path";

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

import { output } from "./process.ts";

export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** The narrowest window that must do: 1280 pixels at 400 %. */
export const NARROWEST = { width: 320, height: 640 };

/** A window of a desk at 200 %, which has half as many pixels of the page's. */
export const ZOOMED = { width: 640, height: 400 };

/** Every window in light and in dark, by a name. */
export const looks = (["light", "dark"] as const).flatMap((colorScheme) =>
  Object.entries({ desk: DESK, phone: PHONE }).map(([device, viewport]) => ({ name: `${device}-${colorScheme}`, colorScheme, viewport })),
);

/** Shows `page` as one of `looks` has it. */
export async function wear(page: Page, { colorScheme, viewport }: (typeof looks)[number]): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await page.setViewportSize(viewport);
}

/** Leaves a picture in the output folder. */
export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(output, "pictures", `${name}.png`) });
}

/** Nothing that axe knows of keeps anybody from using the page. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const said = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
  expect(said).toEqual([]);
}

/** Nothing hangs out of the page sideways, nor out of anything in it but what is made to be scrolled so. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const wide = () =>
    page.evaluate(() => {
      const made = "pre, .math, [role=region]";
      const scrolls = (element: Element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX) && !element.matches(made);
      return [document.documentElement, ...document.body.querySelectorAll("*")]
        .filter((element) => element.scrollWidth > element.clientWidth && (element === document.documentElement || scrolls(element)))
        .map((element) => `${element.scrollWidth} in ${element.clientWidth} pixels: ${element.outerHTML.slice(0, 120)}`);
    });
  await expect.poll(wide, { message: "what is wider than its window" }).toEqual([]);
}
