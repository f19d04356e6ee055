// What every test may ask for: a federation, which its worker starts, and a reader before the page of its router.

import { expect, test as base } from "@playwright/test";

import { Chat } from "./harness/chat.ts";
import { clinics, dairy, library, observatory, town } from "./harness/fleets.ts";
import { Federation, type Wishes } from "./harness/router.ts";
import { Watch } from "./harness/watch.ts";
import { kinds, mask } from "./masks.ts";

/** What was asked where there are figures. */
export const surveyed = ["why is Mars red", "how many moons has Mars", "how much zinc do children with diarrhoea take"];

const federations = {
  /** Institutions of all kinds, of which one is asked what no other covers. */
  town: () => Federation.start({ institutions: [...town, library], settings: '[route]\ngeneral = "library"\n' }),
  /** Two that are both asked and contradict each other. */
  clinics: () => Federation.start({ institutions: clinics, generous: true }),
  /** Several are asked at once; of what was asked there are figures, and one does not answer any more. */
  surveyed: async () => {
    const federation = await Federation.start({ institutions: [...clinics, observatory, dairy], generous: true });
    for (const question of surveyed) await federation.ask(question);
    await expect.poll(async () => (await federation.report()).tally.turns).toBe(surveyed.length);
    await federation.kill("dairy");
    await expect.poll(() => federation.health()).toContain("down");
    return federation;
  },
  /** All of whose cards and corpora mean harm, and who are asked together. */
  masks: () => Federation.start({ institutions: kinds.map(mask), generous: true }),
  /** Nobody is registered. */
  empty: () => Federation.start({ institutions: [] }),
  /** All are registered, and none is there. */
  ruins: async () => {
    const federation = await Federation.start({ institutions: town });
    await federation.killSpecialists();
    await expect.poll(() => federation.health(), { timeout: 60_000 }).not.toContain("up");
    return federation;
  },
};

interface Shared {
  /** Which federation the page is of; a file of tests may choose another. */
  of: keyof typeof federations;
  /** That federation, for all tests of a worker. */
  federation: Federation;
}

interface Reader {
  /** Starts a federation that ends with the test. */
  start: (wishes: Wishes) => Promise<Federation>;
  /** Whether anything left the page. */
  watch: Watch;
  /** A reader before an empty page. */
  chat: Chat;
}

export const test = base.extend<Reader, Shared>({
  of: ["town", { option: true, scope: "worker" }],
  federation: [
    async ({ of }, use) => {
      const federation = await federations[of]();
      await use(federation);
      await federation.stop();
    },
    { scope: "worker" },
  ],
  start: async ({}, use) => {
    const federations: Federation[] = [];
    await use(async (wishes) => {
      const federation = await Federation.start(wishes);
      federations.push(federation);
      return federation;
    });
    await Promise.all(federations.map((federation) => federation.stop()));
  },
  watch: async ({ context, federation }, use) => {
    await use(await Watch.over(context, federation.url));
  },
  chat: async ({ page, federation, watch: _ }, use) => {
    const chat = new Chat(page, federation.url);
    await chat.open();
    await use(chat);
  },
});

export { expect };
