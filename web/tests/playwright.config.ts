import { defineConfig } from "@playwright/test";
import { join } from "node:path";

import { output } from "./harness/process.ts";

export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.ts",
  outputDir: join(output, "failures"),
  fullyParallel: true,
  forbidOnly: true,
  // Two browsers beside their routers are what two cores carry.
  workers: 2,
  timeout: 300_000,
  // How long a test waits for what must come, on a busy machine; never how long it takes.
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  use: {
    locale: "en-GB",
    actionTimeout: 20_000,
    screenshot: "only-on-failure",
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium" },
  },
});
