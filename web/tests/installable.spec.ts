// The page can be kept beside other programs.

import { expect, test } from "./fixtures.ts";

interface Icon {
  src: string;
  sizes: string;
  type: string;
  purpose?: string;
}

test("the browser finds nothing that keeps it from being installed", async ({ playwright, federation }, info) => {
  // Installing needs a profile that lasts.
  const context = await playwright.chromium.launchPersistentContext(info.outputPath("profile"), info.project.use.launchOptions);
  const [page] = context.pages();
  await page!.goto(federation.url);
  const browser = await context.newCDPSession(page!);
  const { url, errors } = await browser.send("Page.getAppManifest");
  expect(url).toMatch(/\/manifest\.webmanifest$/);
  expect(errors).toEqual([]);
  const { installabilityErrors } = await browser.send("Page.getInstallabilityErrors");
  expect(installabilityErrors).toEqual([]);
  await context.close();
});

test("the manifest names all that is needed, and every icon is there", async ({ federation, page }) => {
  await page.goto(federation.url);
  const href = await page.locator("link[rel=manifest]").getAttribute("href");
  const response = await page.request.get(federation.url + href);
  expect(response.headers()["content-type"]).toContain("application/manifest+json");
  const manifest = await response.json();
  expect(manifest).toMatchObject({ name: "Consilium", short_name: "Consilium", start_url: "/", scope: "/", display: "standalone" });
  for (const colour of [manifest.theme_color, manifest.background_color]) expect(colour).toMatch(/^#[0-9a-f]{6}$/);

  const icons: Icon[] = manifest.icons;
  for (const { src, sizes, type } of icons) {
    const icon = await page.request.get(federation.url + src);
    expect(icon.headers()["content-type"], src).toContain(type);
    // It is a picture that a browser draws.
    const [width, height] = await page.evaluate(async (src) => {
      const image = Object.assign(new Image(), { src });
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    }, src);
    expect(width, src).toBe(height);
    if (sizes !== "any") expect(`${width}x${height}`, src).toBe(sizes);
  }
  const sizesFor = (purpose: string) => icons.filter((icon) => (icon.purpose ?? "any").split(" ").includes(purpose)).map(({ sizes }) => sizes);
  for (const purpose of ["any", "maskable"]) {
    const sizes = sizesFor(purpose);
    expect(sizes.includes("any") || (sizes.includes("192x192") && sizes.includes("512x512")), purpose).toBe(true);
  }
});

test("the browser's bars have the colour of the page, in light and in dark", async ({ federation, page }) => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto(federation.url);
    const [bar, ground] = await page.evaluate(() => {
      const metas = [...document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")];
      const probe = document.createElement("i");
      probe.style.color = metas.find(({ media }) => !media || matchMedia(media).matches)?.content ?? "";
      document.body.append(probe);
      return [getComputedStyle(probe).color, getComputedStyle(document.documentElement).backgroundColor];
    });
    expect(bar, colorScheme).toBe(ground);
  }
});
