// Who is in the federations that the tests ask.

import type { Institution, Passage } from "./institution.ts";

/** Passages of one kind, enough of them for prototypes. */
const passages = (...texts: [string, string][]): Passage[] => texts.map(([title, text]) => ({ title, text }));

/** Answers "why is Mars red". */
export const observatory: Institution = {
  id: "observatory",
  title: "Planets and their moons",
  institution: "City Observatory",
  description: "The planets, their moons and their weather.",
  notice: "Written for visitors of the observatory.",
  exampleQuestions: ["why is Mars red", "how many moons has Mars", "what are the rings of Saturn made of"],
  corpus: passages(
    ["Mars, colour", "Mars is red because iron dust on its ground rusted. Its sky is pale."],
    ["Mars, moons", "Mars has two small moons, Phobos and Deimos. Both are potato-shaped."],
    ["Saturn, rings", "The rings of Saturn are made of ice. They are very thin."],
    ["Jupiter, storm", "A red storm on Jupiter is wider than the Earth."],
    ["Venus, heat", "Venus is hot because its thick air traps heat."],
    ["Mercury, size", "Mercury is the smallest planet of all."],
  ),
};

/** Answers "how long does Gouda cheese ripen". */
export const dairy: Institution = {
  id: "dairy",
  title: "Cheese and how it is made",
  institution: "Guild of Dairies",
  exampleQuestions: ["how long does Gouda cheese ripen", "may the rind of brie cheese be eaten"],
  corpus: passages(
    ["Gouda, ripening", "Gouda cheese ripens for months on wooden shelves. It turns sharp with age."],
    ["Brie, rind", "The white rind of brie cheese is a mould that may be eaten."],
    ["Feta, milk", "Feta cheese is made of the milk of sheep and goats."],
    ["Cheddar, cheddaring", "Blocks of cheddar curd are stacked and turned."],
    ["Cheese, whey", "Whey runs off when curd for cheese is cut."],
    ["Cheese, rennet", "Rennet makes milk curdle into cheese."],
  ),
};

/** Sees a question only with its asker's consent. */
export const notary: Institution = {
  id: "notary",
  title: "Wills and inheritance",
  institution: "Chamber of Notaries",
  asksConsent: true,
  exampleQuestions: ["who inherits without a will"],
  steps: [{ passage: "Without a will the next of kin inherit." }, { say: "Without a will the next of kin inherit." }],
};

/** Begins to answer "when does the ferry leave" and comes to no end. */
export const harbour: Institution = {
  id: "harbour",
  title: "Ferries and their timetable",
  institution: "Harbour Office",
  exampleQuestions: ["when does the ferry leave"],
  steps: [{ say: "The ferry leaves at noon. " }, { say: "It comes back" }, "stall"],
};

/** Says nothing for ever to "when does the night train leave". */
export const railway: Institution = {
  id: "railway",
  title: "Trains and their timetable",
  institution: "State Railway",
  exampleQuestions: ["when does the night train leave"],
  steps: ["stall"],
};

/** Breaks off in the middle of "which mushrooms are poisonous". */
export const foresters: Institution = {
  id: "foresters",
  title: "Mushrooms of the forest",
  institution: "Forest Service",
  exampleQuestions: ["which mushrooms are poisonous"],
  steps: [{ say: "Death caps are poisonous, and" }, "fail"],
};

/** Answers "what is Mars called in Arabic" in Arabic, with a name and a number in other letters. */
export const school: Institution = {
  id: "school",
  title: "مدرسة اللغة العربية",
  institution: "School of Arabic",
  exampleQuestions: ["what is Mars called in Arabic"],
  steps: [{ say: "للمريخ قمران هما Phobos و Deimos منذ 1877." }],
};

/** Is asked what nobody else covers. */
export const library: Institution = {
  id: "library",
  title: "General knowledge",
  institution: "Public Library",
  exampleQuestions: ["where can something be looked up"],
  steps: [{ say: "The reading room is open until eight." }],
};

function clinic(id: string, institution: string, milligrams: number): Institution {
  return {
    id,
    title: `Care of children in the ${id}`,
    institution,
    exampleQuestions: ["how much zinc do children with diarrhoea take"],
    corpus: passages(
      [
        "Diarrhoea, zinc",
        `Children with diarrhoea take ${milligrams} mg of zinc a day. Tablets dissolve in a spoon of water.`,
      ],
      ["Diarrhoea, fluids", "Fluids are given in sips after every loose stool."],
      ["Fever, rest", "Feverish children rest and drink."],
      ["Cough, honey", "Honey eases a cough of children older than one year."],
      ["Rash, cold", "A cold cloth soothes an itching rash."],
      ["Wounds, soap", "Wounds are washed with soap and dried."],
    ),
  };
}

/** These two contradict each other. */
export const clinics = [clinic("north", "Clinic of the North", 10), clinic("south", "Clinic of the South", 20)];

/** Most tests ask these. */
export const town = [observatory, dairy, notary, harbour, railway, foresters, school];
