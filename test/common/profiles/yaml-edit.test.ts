import { describe, expect, test } from "@jest/globals";
import { editYaml, type YamlChange } from "../../../common/profiles/yaml-edit.ts";

const edit = (text: string, ...changes: YamlChange[]): string =>
  editYaml(text, "config.yaml", changes, { model: "default" });
const base: YamlChange = { path: ["model", "base_url"], value: "http://h/v1" };
const name: YamlChange = { path: ["model", "default"], value: "new" };

describe("config.yaml keeps its comments and what is not named", () => {
  test("a value changes in its line", () => {
    const text = `# my settings
model:
  # local
  default: old # the model
  provider: custom
# chat
channels:
  - 123456789012345678901234 # longer than a double
  - 0x1f
flag: yes
`;
    expect(edit(text, name)).toBe(text.replace("default: old", "default: new"));
    expect(edit(text, { path: ["model", "provider"], value: null })).toBe(
      text.replace("  provider: custom\n", ""),
    );
    expect(edit(text, { path: ["bot_name"], value: "Iris" })).toBe(`${text}bot_name: Iris\n`);
    expect(edit(text, { path: ["agent", "max_steps"], value: 9 })).toBe(`${text}agent:\n  max_steps: 9\n`);
  });

  test("the short form becomes a section, nothing is lost", () => {
    expect(edit("model: mine # why\nx: 1\n", base)).toBe(
      "model:\n  # why\n  default: mine\n  base_url: http://h/v1\nx: 1\n",
    );
    expect(edit("model:\n", name)).toBe("model:\n  default: new\n");
  });

  test("a file of comments, or none, is begun", () => {
    expect(edit("", name)).toBe("model:\n  default: new\n");
    const commented = edit("# nothing yet\n", name);
    expect(commented).toContain("# nothing yet");
    expect(commented).toContain("default: new");
    expect(edit("# nothing yet\n", { path: ["model", "default"], value: null })).toContain("# nothing yet");
  });

  test("values that look like something else stay texts", () => {
    for (const value of ["true", "123", "null", "a: b", "# x", "*a", "- x", "'", "{a}", "1e3"])
      expect(edit(edit("a: 1\n", { ...name, value }), { path: ["b"], value: 2 })).toContain("default: ");
  });

  test("line ends of Windows stay", () => {
    expect(edit("a: 1\r\n", { path: ["b"], value: 2 })).toBe("a: 1\r\nb: 2\r\n");
  });
});

describe("P-6 a file that is not understood is not changed", () => {
  const bomb = `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${Array.from(
    { length: 9 },
    (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(",")}]\n`,
  ).join("")}`;
  test.each([
    ["broken", "model: [\n"],
    ["a list", "- a\n"],
    ["a text", "hello\n"],
    ["two documents", "a: 1\n---\nb: 2\n"],
    ["a key twice", "a: 1\na: 2\n"],
    ["an alias bomb", bomb],
    ["an alias at the place", "m: &m {default: x}\nmodel: *m\n"],
    ["an anchor at the place", "model: &m {default: x}\nother: *m\n"],
    ["an anchor on the value", "model: {default: &d x}\nother: *d\n"],
    ["a list at the place", "model: [a]\n"],
    ["a map as the value", "model: {default: {deep: 1}}\n"],
  ])("%s", (_what, text) => {
    expect(() => edit(text, name)).toThrow(expect.objectContaining({ code: "profile_unavailable" }));
  });

  test("anchors and tags elsewhere stay as they are", () => {
    const text =
      "defaults: &d\n  retries: 3\njobs:\n  one: *d\nodd: !!python/object:os.system x\nmodel: {default: a}\n";
    const edited = edit(text, name);
    for (const part of ["&d", "*d", "!!python/object:os.system"]) expect(edited).toContain(part);
    expect(edited).toContain("default: new");
  });

  test("the message never quotes the file", () => {
    const text = "model: {default: sk-canary-0123456789abcdef\nkey: sk-canary-0123456789abcdef: [\n";
    expect(() => edit(text, name)).toThrow(expect.not.stringContaining("canary"));
  });
});
