import { describe, expect, test } from "@jest/globals";
import { acceptTitle } from "../../../common/titles/accept.ts";
import { cleanTitle } from "../../../common/titles/clean.ts";
import { FIRST_MESSAGES } from "./first-messages.ts";

const reasonOf = (title: string, text: string): string | null => {
  const verdict = acceptTitle(title, text);
  return verdict.accepted ? null : verdict.reason;
};

describe("B-15 title-language", () => {
  const text = "東京旅行の計画を立ててください。予算は10万円です。";
  test("a conversation in Japanese takes no Chinese-only and no English title, but one with Python in it", () => {
    expect(reasonOf("东京旅游计划", text)).toBe("wrong_language");
    expect(reasonOf("Planning a Trip to Tokyo", text)).toBe("other_script");
    expect(acceptTitle("Pythonで東京旅行の計画", text)).toEqual({
      accepted: true,
      title: "Pythonで東京旅行の計画",
    });
    expect(reasonOf("東京旅行の予算", text)).toBeNull();
  });

  describe.each(FIRST_MESSAGES)("$language", ({ text: message, good, foreign }) => {
    const own = good.map((title) => ({ title }));
    test.each(own)("$title is accepted", ({ title }) => {
      expect(reasonOf(title, message)).toBeNull();
    });
    if (foreign.length === 0) return;
    test.each(foreign.map((title) => ({ title })))("$title is rejected", ({ title }) => {
      expect(["other_script", "wrong_language"]).toContain(reasonOf(title, message));
    });
  });
});

describe("the limits of another script", () => {
  const russian = "Помоги мне с настройкой сервера";
  test("35 % of the letters, and at least 2", () => {
    // 13 of 20 are Cyrillic: exactly 35 % are not.
    expect(reasonOf("настройсервер abcdefg", russian)).toBe("other_script");
    expect(reasonOf("настройсервера abcdefg", russian)).toBeNull();
    expect(reasonOf("а b", russian)).toBeNull();
  });

  test("only when the user's text is at least 60 % one script", () => {
    // 6 of 10 letters are Cyrillic, then 5 of 10.
    expect(reasonOf("abcd efgh", "абвгде hijk")).toBe("other_script");
    expect(reasonOf("abcd efgh", "абвгд hijkl")).toBeNull();
  });

  test("code, addresses and paths are no text of the user's", () => {
    const text = `Почему это не работает?\n\`\`\`python\n${"print('hello world')\n".repeat(50)}\`\`\`\nhttps://example.com/a/very/long/address`;
    expect(reasonOf("Why It Does Not Work", text)).toBe("other_script");
    expect(reasonOf("Почему не работает print", text)).toBeNull();
  });
});

describe("names", () => {
  test("a few borrowed words may stand alone, a whole title of them is in English", () => {
    const text = "Pythonで書いたAPIをDockerで動かしたいです";
    expect(reasonOf("Python API", text)).toBeNull();
    expect(reasonOf("Python API Docker Kubernetes", text)).toBe("other_script");
    // Well-known names in the user's text do not make it a Latin one.
    expect(reasonOf("Running a Python API in Docker", text)).toBe("other_script");
    expect(reasonOf("DockerでPython API", text)).toBeNull();
  });

  test("what the user wrote in another language may be the title", () => {
    const text = "Kannst du mir die Handlung von How to Train Your Dragon erklären?";
    expect(reasonOf("How to Train Your Dragon", text)).toBeNull();
    expect(reasonOf("How to Tame Your Dragon", "Kannst du mir die Handlung von dem Film erklären?")).toBe(
      "wrong_language",
    );
  });

  test("one word of another language than English is no proof", () => {
    expect(reasonOf("Wir Album Overview", "Explain the record of the band to me")).toBeNull();
    expect(reasonOf("Das Album Wir für mich erklärt", "Explain the record of the band to me")).toBe(
      "wrong_language",
    );
  });
});

describe("what is no title", () => {
  test.each(["", "...", "🎉", "—"])("%j is empty", (title) => {
    expect(reasonOf(title, "Hello there")).toBe("empty");
  });

  test.each([
    ...[
      "Pong",
      "yes",
      "OK",
      "Done!",
      "Thanks.",
      "Sure",
      "Untitled",
      "New Chat",
      "Erledigt",
      "Merci",
      "Gracias",
      "Готово",
      "好的",
    ],
    ...["はい", "네", "شكرا", "תודה", "धन्यवाद"],
  ])("%j is an echo, whatever the language", (title) => {
    expect(reasonOf(title, "ping")).toBe("echo");
  });

  test.each([
    "The user is asking about login bugs",
    "The user wants a short title",
    "Okay, so the user wants a title",
    "I need to generate a title for this",
    "We need to produce a title of 3 to 8 words",
    "I'll create a concise title",
    "Let me think about this conversation",
    "Let's analyze the exchange",
    "Here is a concise title",
    "This conversation is about login bugs",
    "Based on the conversation, a title",
    "First, I look at the message",
    "A good title would be Login Bug",
    "Sure! Here is one",
    "I'm sorry, but no",
    "Der Nutzer möchte einen Titel",
    "L’utilisateur demande un titre",
    "El usuario quiere un título",
    "Пользователь хочет название",
    "用户想要一个标题",
    "ユーザーはタイトルを求めている",
    "사용자가 제목을 원한다",
  ])("%j is leaked reasoning", (title) => {
    expect(reasonOf(title, "x")).toBe("leaked_reasoning");
  });

  test.each([
    "The User Guide",
    "The user guide for admins",
    "User Research Notes",
    "Let Me Count the Ways",
    "I Should Refactor Auth",
    "Let's Encrypt Renewal",
    "I Ching Explained",
    "We Need to Talk About Kevin",
    "First Steps in Rust",
    "So Long, and Thanks for All the Fish",
    "OK Go Music Videos",
    "Well-Known URIs",
    "Now Playing Widget",
    "The Conversation by Coppola",
    "Thinking, Fast and Slow",
    "Given-When-Then Tests",
    "Title Tag SEO",
    "Pong Game in JavaScript",
    "Done List App",
    "Great Expectations Summary",
    "Surefire Pasta Recipes",
  ])("B-10: %j is a title like any other", (title) => {
    expect(reasonOf(title, "x")).toBeNull();
  });

  test("what begins with the user's own words is quoted, not thought", () => {
    expect(reasonOf("I want to write a will", "I want to write a will, what do I need?")).toBeNull();
    expect(reasonOf("I want to write a title", "I want to buy a car")).toBe("leaked_reasoning");
  });
});

test("the good titles survive cleaning as they are", () => {
  for (const { good } of FIRST_MESSAGES) for (const title of good) expect(cleanTitle(title)).toBe(title);
});
