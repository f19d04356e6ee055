import { defineConfig } from "@playwright/test";

import tests from "./playwright.config.ts";

// Figures of one browser at a time.
export default defineConfig({ ...tests, testMatch: "measure.ts", workers: 1, timeout: 600_000 });
