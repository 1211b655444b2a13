// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of configuration files, not of this one
import { parseEnv } from "node:util";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { editEnv, withoutVariables } from "../../../common/profiles/env-edit.ts";

const FILE = `# keys of mine
export FIRST=one # the first
SECOND='two # no comment'

# many lines
PEM="-----BEGIN
FIRST=not me
-----END"
no assignment
FIRST=again # last one counts
LAST=3`;

describe("P-3 env-file-rewrite: one variable changes, every other line stays", () => {
  test("set, set anew, removed", () => {
    expect(editEnv(FILE, "SECOND", "a b")).toBe(FILE.replace("SECOND='two # no comment'", "SECOND='a b'"));
    expect(editEnv(FILE, "NEW", "x")).toBe(`${FILE}\nNEW=x\n`);
    expect(editEnv(FILE, "FIRST", "x")).toBe(
      FILE.replace("export FIRST=one # the first\n", "").replace("FIRST=again # last", "FIRST=x # last"),
    );
    expect(editEnv(FILE, "LAST", null)).toBe(FILE.replace("\nLAST=3", ""));
    expect(editEnv(FILE, "PEM", "short")).toContain("# many lines\nPEM=short\nno assignment");
    expect(editEnv(FILE, "NOBODY", null)).toBe(FILE);
    expect(editEnv("", "A", "1")).toBe("A=1\n");
  });

  test("line ends of Windows stay", () => {
    expect(editEnv("A=1\r\nB=2\r\n", "A", "x")).toBe("A=x\r\nB=2\r\n");
    expect(editEnv("A=1\r\n", "C", "x")).toBe("A=1\r\nC=x\r\n");
  });

  test.each([
    ["sk-abc_DEF.123", "A=sk-abc_DEF.123\n"],
    ["a#b", "A='a#b'\n"],
    ["$(id) ${HOME}", "A='$(id) ${HOME}'\n"],
    [`say "hi"`, `A='say "hi"'\n`],
    ["it's", `A="it's"\n`],
    [" spaces ", "A=' spaces '\n"],
    ["größe", "A='größe'\n"],
  ])("%s is written so that it is read the same", (value, line) => {
    expect(editEnv("", "A", value)).toBe(line);
    expect(parseEnv(line).A).toBe(value);
  });

  test.each(["a\nB=2", "a\rB=2", "a\0b", "tab\there", "\u2028", "\ud800", `both ' and "`, "it's \\", ""])(
    "%j is refused",
    (value) => {
      expect(() => editEnv(FILE, "A", value)).toThrow(expect.objectContaining({ code: "key_refused" }));
    },
  );

  test("whatever is set into whatever file, only that changes", () => {
    const line = fc.oneof(
      fc.constantFrom("# c", "", "X=1", "export Y='q'", 'Z="open', "Z='", "W=`a", "junk", "X = 'v' # c", '"'),
      fc.string({ maxLength: 12 }).filter((text) => !/[\n\r]/.test(text)),
    );
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 10 }),
        fc.string({ minLength: 1, maxLength: 12 }),
        (lines, value) => {
          const text = lines.join("\n");
          let edited: string;
          try {
            edited = editEnv(text, "X", value);
          } catch {
            return;
          }
          expect(parseEnv(edited)).toEqual({ ...parseEnv(text), X: value });
          for (const each of lines.filter((one) => one.startsWith("#"))) expect(edited).toContain(each);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("what belongs to the server is taken out of a clone's file, comments stay", () => {
    const text = "# a\nTALARIA_PASSWORD=x\nKEY=1\nREDIS_URL=y\n";
    expect(withoutVariables(text, (name) => name !== "KEY")).toBe("# a\nKEY=1\n");
  });
});
