// Cards and corpora that mean harm: every text that an institution says of itself or that stands in its passages, by
// kind. What the contract refuses cannot be said here: control characters, names that break lines or turn the
// direction of text, addresses that are not http or https.

import type { Institution } from "./harness/institution.ts";
import { BEACON } from "./hostile.ts";

const CALL = "globalThis.struck=1";

const texts = {
  html: `<img src=x onerror=${CALL}><script>${CALL}</script>`,
  syntax: `![x](${BEACON}/p.png) [press](javascript:${CALL}) **b**`,
  links: `<javascript:${CALL}> ${BEACON}/a data:text/html,x`,
  override: "Back\u202ewards",
  isolate: "Shut\u2067 never \u202b\u202e\u2066open",
  leftwards: "\u200fمرصد المدينة (3)\u061c [1]",
  invisible: `Hid\u200bden\u2060 ${Array.from("zalgo", (letter) => letter + "\u0300\u0301\u0302\u0303\u0304\u0305\u0306".repeat(2)).join("")}\ufeff\u00ad`,
  long: "W".repeat(110),
  lines: "One\n\n# Two\n\n- three\n\n```\nfour\n",
};

type Kind = keyof typeof texts;

export const kinds = Object.keys(texts) as Kind[];

/** As much of a text as may be a name. */
const name = (kind: Kind) => texts[kind].replace(/[\n\u202a-\u202e\u2066-\u2069]+/g, " ").trim();

/** What the institution of this kind answers, and no other. */
export const questionOf = (kind: Kind) => `the ${kind} quartz${kind} is known`;

const addresses: Partial<Record<Kind, string>> = {
  html: `${BEACON}/"onmouseover="${CALL}"><img src=x onerror=${CALL}>`,
  syntax: `${BEACON}/) ![x](${BEACON}/q.png) [press](javascript:${CALL}`,
  links: `${BEACON}/>\n![x](${BEACON}/r.png)`,
  override: `${BEACON}/\u202egro.live`,
  long: `${BEACON}/${"long".repeat(400)}`,
};

/** An institution all of whose texts are of one kind. */
export function mask(kind: Kind): Institution {
  const text = texts[kind];
  const about = { title: `${text} ${text}`, section: text, license: text, url: addresses[kind] ?? `${BEACON}/${kind}` };
  return {
    id: `mask-${kind}`,
    title: name(kind),
    institution: name(kind),
    description: `${text} ${text} ${text}`,
    notice: `${text} ${text}`,
    license: name(kind),
    intendedUse: text,
    retention: text,
    asksConsent: kind === "html",
    exampleQuestions: [questionOf(kind), text],
    corpus: [
      { ...about, text: `The ${kind} quartz${kind} is known. ${kind === "long" ? "w".repeat(10_000) : text} It goes on.` },
      ...["feldspar", "gneiss", "basalt", "marble", "slate"].map((stone) => ({ ...about, text: `The ${stone} is another. ${text}` })),
    ],
  };
}

/** All that these institutions say, in names and in texts, the longest first. */
export const theirs = kinds.flatMap((kind) => [`${texts[kind]} It goes on.`, texts[kind], name(kind)]);
