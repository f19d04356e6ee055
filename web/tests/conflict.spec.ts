// Two institutions that say different things, side by side.

import { expect, test } from "./fixtures.ts";
import { en } from "./harness/chat.ts";

test.use({ of: "clinics" });

const ZINC = "how much zinc do children with diarrhoea take";

test("what two contradict each other in stands side by side", async ({ chat }) => {
  const answer = await chat.ask(ZINC);
  const conflict = answer.getByRole("group", { name: en.conflict.title }).or(answer.getByRole("region", { name: en.conflict.title }));
  for (const side of ["Clinic of the North", "Clinic of the South", "10 mg", "20 mg", en.conflict.in("numbers")]) {
    await expect(conflict).toContainText(side);
  }
});
