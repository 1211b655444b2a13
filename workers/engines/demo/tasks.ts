import type { Script } from "./plan.ts";

/**
 * What the demo model answers to background work: told by how that prompt begins, to which the demo keeps like any model. Null: it is
 * none. `system`: the first message's text; `said`: the last one's.
 */
export const taskAnswer = (system: string, said: string): Script | null => {
  const task = TASKS.find(({ begins }) => system.startsWith(begins));
  return task === undefined ? null : { text: task.answer(said) };
};

/** The first words of what the person wrote: a script cannot do better. */
const titleOf = (prompt: string): string => {
  const said = /<user_message>\n([\s\S]*?)\n<\/user_message>/.exec(prompt)?.[1] ?? "";
  const [first = ""] = said.split(SENTENCE_END);
  return first
    .split(/\s+/)
    .slice(0, 6)
    .join(" ")
    .replace(/[\s.,:;!?]+$/, "");
};

/** What was said, by its first words: a script cannot tell what matters. */
const summaryOf = (prompt: string): string => {
  const soFar = /<summary_so_far>\n([\s\S]*?)\n<\/summary_so_far>/.exec(prompt)?.[1] ?? "";
  const said = [...prompt.matchAll(/<message role="user">\n([\s\S]*?)\n<\/message>/g)].map(([, text = ""]) =>
    text.replace(/\s+/g, " ").slice(0, 60),
  );
  const topics = said.slice(0, MAX_TOPICS).map((text) => `- The user wrote: ${text}`);
  const more = said.length > MAX_TOPICS ? [`- ${said.length - MAX_TOPICS} more messages of the user`] : [];
  return (
    [soFar, ...topics, ...more].filter((line) => line !== "").join("\n") ||
    "- The assistant worked with tools."
  );
};
const MAX_TOPICS = 5;

const recapOf = (prompt: string): string => {
  const last = (tag: string): string =>
    [...prompt.matchAll(new RegExp(`<${tag}>\\n([\\s\\S]*?)\\n</${tag}>`, "g"))]
      .at(-1)?.[1]
      ?.split(SENTENCE_END)[0] ?? "nothing";
  return [
    `- The last thing you asked: ${last("person")}`,
    `- The answer to it began: ${last("assistant")}`,
    "- This recap is scripted: the demo model only quotes, a real one would sum up.",
  ].join("\n");
};

const newsOf = (prompt: string): string => {
  const subjects = [...prompt.matchAll(/"subjects":(\[.*?\])[,}]/g)].flatMap(([, list]) =>
    textsIn(list ?? ""),
  );
  const told = subjects.slice(0, 4).map((subject) => `- ${subject}`);
  return ["NOTICE:", ...told, "WORTH:", "- This list is scripted: the demo model only quotes."].join("\n");
};

const textsIn = (json: string): readonly string[] => {
  try {
    return JSON.parse(json) as string[];
  } catch {
    return []; // a subject with a bracket in it
  }
};

/** Beginnings of the prompts in common/titles, common/compression, common/recaps and common/updates. */
const TASKS: readonly { readonly begins: string; readonly answer: (said: string) => string }[] = [
  { begins: "You name conversations.", answer: titleOf },
  { begins: "You compress conversations.", answer: summaryOf },
  { begins: "You tell a person who comes back", answer: recapOf },
  { begins: "You hand a conversation over", answer: recapOf },
  { begins: "You tell the users of a program", answer: newsOf },
];

const SENTENCE_END = /(?<=[.?!。？！])\s|\n/;
