// Two institutions that say different things, side by side.

import { expect, test } from "./fixtures.ts";
import { en } from "./harness/chat.ts";

test.use({ of: "clinics" });

const ZINC = "how much zinc do children with diarrhoea take";

test("what two contradict each other in stands side by side", async ({ chat }) => {
  const answer = await chat.ask(ZINC);
  await expect(answer.getByRole("heading", { name: en.conflict.title })).toBeVisible();
  await expect(answer).toContainText(en.conflict.in(en.conflict.kinds.numbers ?? ""));
  const sides = answer.getByRole("figure");
  await expect(sides).toHaveCount(2);
  for (const side of ["Clinic of the North", "Clinic of the South", "10 mg", "20 mg"]) {
    await expect(sides.filter({ hasText: side })).toHaveCount(1);
  }
});
