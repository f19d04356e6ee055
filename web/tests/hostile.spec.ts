// What hostile answers do in a reader's page: nothing. Cards and passages: `masks.spec.ts`.

import { expect, test } from "./fixtures.ts";
import { Chat } from "./harness/chat.ts";
import type { Institution } from "./harness/institution.ts";
import { expectNoSidewaysScroll } from "./harness/look.ts";
import { intruders, Watch } from "./harness/watch.ts";
import { BEACON, families } from "./hostile.ts";

/** About as many characters as one event of an answer may have, with room for those of several bytes. */
const EVENT_CHARACTERS = 5_000;

/** Two words of its own, so that nobody else is near. */
const questionOf = (family: string, at: number) => `${family}${at} quartz${at}${family}`;

function institution(family: string, at: number, answer: string): Institution {
  const characters = Array.from(answer);
  const steps = [];
  for (let start = 0; start < characters.length; start += EVENT_CHARACTERS) {
    steps.push({ say: characters.slice(start, start + EVENT_CHARACTERS).join("") });
  }
  return { id: `${family}-${at}`, exampleQuestions: [questionOf(family, at)], steps };
}

test("there are two hundred, no two of them alike", () => {
  const all = Object.values(families).flat();
  expect(all.length).toBe(200);
  expect(new Set(all).size).toBe(200);
});

test("the watch sees what it looks for", async ({ page, federation, watch }) => {
  const address = `${federation.url}/control`;
  const body = `<img src="${BEACON}/pixel.png"><script>globalThis.struck = 1; alert("hello")</script>`;
  await page.route(address, (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto(address);
  const seen = ["a dialog that says hello", "a script ran", `a request of ${BEACON}/pixel.png`];
  expect((await watch.take(page)).sort()).toEqual(seen.sort());

  const headers = { "content-security-policy": "default-src 'none'" };
  await page.route(address, (route) => route.fulfill({ contentType: "text/html", body, headers }));
  await page.goto(address);
  expect(await watch.take(page)).toContainEqual(expect.stringContaining("refused by the policy: img-src"));
});

test("the router says what the page may load", async ({ page, federation }) => {
  for (const path of ["/", "/c/any", "/s/any", "/fleet", "/about"]) {
    const headers = (await page.goto(federation.url + path))?.headers() ?? {};
    const policy = new Set(headers["content-security-policy"]?.split("; "));
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ]) {
      expect(policy, path).toContain(rule);
    }
    expect(headers["x-content-type-options"], path).toBe("nosniff");
    expect(headers["referrer-policy"], path).toBe("no-referrer");
  }
});

for (const [family, answers] of Object.entries(families)) {
  test(`answers of ${family} are only text`, async ({ context, page, start }) => {
    // A router of their own, which ends with its specialists: two hundred at once would weigh on all others.
    const federation = await start({ institutions: answers.map((answer, at) => institution(family, at, answer)) });
    const watch = await Watch.over(context, federation.url);
    const chat = new Chat(page, federation.url);
    await chat.open();
    for (const at of answers.keys()) {
      await test.step(`${family} ${at}`, async () => {
        await chat.begin();
        const answer = await chat.ask(questionOf(family, at));
        // Whoever reads points at things, and moves on by keyboard.
        await answer.hover({ position: { x: 5, y: 5 } });
        await page.keyboard.press("Tab");
        await expectNoSidewaysScroll(page);
        expect.soft(await intruders(answer), `${family} ${at}`).toEqual([]);
        expect.soft(await watch.take(page), `${family} ${at}`).toEqual([]);
        expect.soft(page.url(), `${family} ${at}`).toContain(federation.url);
        await chat.composer.fill("still here");
        await expect(chat.composer).toHaveValue("still here");
      });
    }
  });
}
