import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { MASK } from "../../../common/base/mask.ts";
import { createRedactor, failClosed, type Redactor } from "../../../common/logging/redact.ts";

const SECRET = "pa$$w0rd/with+odd chars&é";
const KEYS = {
  openai: "sk-proj-abcDEF0123456789abcDEF",
  github: "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
  aws: "AKIAIOSFODNN7EXAMPLE",
  bearer: "Bearer abcdef.0123456789.ABCDEF-xyz",
  slack: "xoxb-123456789012-abcdef",
};
const streamed = (redactor: Redactor, pieces: readonly string[]): string => {
  const stream = redactor.stream();
  return pieces.map((piece) => stream.push(piece)).join("") + stream.flush();
};

describe("redaction of whole texts", () => {
  const redactor = createRedactor([SECRET, "short", "true"]);

  test("a known value is masked wherever it stands", () => {
    expect(redactor.text(`a ${SECRET} b${SECRET}`)).toBe(`a ${MASK} b${MASK}`);
  });

  test("a known value is masked URL-, JSON- and base64-encoded", () => {
    const encoded = [
      encodeURIComponent(SECRET),
      new URLSearchParams({ k: SECRET }).toString().slice(2),
      Buffer.from(SECRET).toString("base64"),
      Buffer.from(SECRET).toString("base64url"),
    ];
    for (const text of encoded) expect([text, redactor.text(`<${text}>`)]).toEqual([text, `<${MASK}>`]);
    const quoted = createRedactor(['line one\nline "two"']);
    expect(quoted.text(JSON.stringify({ k: 'line one\nline "two"' }))).toBe(`{"k":"${MASK}"}`);
  });

  test.each(["a:", "ab:", "abc:"])("a known value is masked inside base64 after %s", (before) => {
    const text = Buffer.from(`${before}${SECRET} and more`).toString("base64");
    const masked = redactor.text(text);
    expect(masked).toContain(MASK);
    // At most the characters shared with the neighbours remain.
    expect(masked.length).toBeLessThan(
      text.length - Math.floor((Buffer.byteLength(SECRET) * 8) / 6) + MASK.length + 3,
    );
  });

  test.each(Object.entries(KEYS))("a key of a known kind is masked: %s", (_kind, key) => {
    const masked = createRedactor([]).text(`before "${key}" after`);
    expect(masked).toContain(MASK);
    expect(masked).not.toContain(key.slice(-12));
    expect(masked.startsWith('before "')).toBe(true);
    expect(masked.endsWith('" after')).toBe(true);
  });

  test("ordinary words stay", () => {
    const prose = "task-oriented sk-learn, bearer of news, AKIA, short, true, ghp_ and -----BEGIN";
    expect(redactor.text(prose)).toBe(prose);
  });

  test("a private key is masked", () => {
    const pem = `-----BEGIN PRIVATE KEY-----\n${"MIIEvQIBADANBgkqhkiG9w0B\n".repeat(4)}-----END PRIVATE KEY-----`;
    expect(redactor.text(pem)).toBe(`-----BEGIN PRIVATE KEY-----${MASK}-----END PRIVATE KEY-----`);
  });

  test("values are walked, names included, and not changed", () => {
    const value = { a: [`x${KEYS.openai}`, 1, null], b: { c: ` ${SECRET}` }, [`k ${SECRET}`]: true };
    const before = structuredClone(value);
    expect(createRedactor([SECRET]).value(value)).toEqual({
      a: [`x${KEYS.openai}`, 1, null],
      b: { c: ` ${MASK}` },
      [`k ${MASK}`]: true,
    });
    expect(value).toEqual(before);
    expect(Object.hasOwn(redactor.value(JSON.parse('{"__proto__": "x"}')) as object, "__proto__")).toBe(true);
  });
});

describe("redaction of text in pieces", () => {
  const redactor = createRedactor([SECRET, "overlap-overlap-2"]);
  const parts = fc.oneof(
    fc.constantFrom(SECRET, "overlap-overlap-2", "overlap-over", ...Object.values(KEYS)),
    fc.constantFrom("s", "sk", "sk-", "Bea", "pa$$", "AKIA", "-----BEGIN ", " ", "\n", "é"),
    fc.string({ maxLength: 8 }),
  );

  test("security 102: a key split between two deltas is caught, at every place", () => {
    for (const key of [SECRET, ...Object.values(KEYS)])
      for (let cut = 0; cut <= key.length; cut++) {
        const out = streamed(redactor, [`see ${key.slice(0, cut)}`, `${key.slice(cut)} ok`]);
        expect([key, cut, out]).toEqual([key, cut, redactor.text(`see ${key} ok`)]);
        expect(out).toContain(MASK);
      }
  });

  test("however a text is cut, the result is that of the whole", () => {
    fc.assert(
      fc.property(
        fc.array(parts, { maxLength: 8 }),
        fc.array(fc.nat(30), { maxLength: 30 }),
        (texts, sizes) => {
          const whole = texts.join("");
          const pieces: string[] = [];
          let at = 0;
          for (const size of sizes) {
            pieces.push(whole.slice(at, at + size));
            at += size;
          }
          pieces.push(whole.slice(at));
          expect(streamed(redactor, pieces)).toBe(redactor.text(whole));
        },
      ),
      { numRuns: 1500 },
    );
  });

  test("only what could begin a secret is held back", () => {
    const stream = redactor.stream();
    expect(stream.push("Hello wor")).toBe("Hello wor");
    expect(stream.push("ld, a p")).toBe("ld, a ");
    expect(stream.push("lain word.")).toBe("plain word.");
    expect(stream.push(" key: sk-abc")).toBe(" key: ");
    expect(stream.push("0123456789abcdef")).toBe(MASK);
    expect(stream.push("0123456789abcdef")).toBe("");
    expect(stream.push(" next")).toBe(" next");
    expect(stream.push(" AKI")).toBe(" ");
    expect(stream.flush()).toBe("AKI");
  });

  test("a long text is scanned in linear time", () => {
    const started = performance.now();
    redactor.text("sk-short sk- pa$$w0rd ".repeat(100_000));
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe("R-4 redaction-fails-closed", () => {
  const broken: Redactor = {
    text: () => {
      throw new Error("broken");
    },
    value: () => {
      throw new Error("broken");
    },
    stream: () => ({
      push: () => {
        throw new Error("broken");
      },
      flush: () => SECRET,
    }),
  };

  test("a throwing redactor gives the placeholder, never the text", () => {
    const closed = failClosed(broken);
    expect(closed.text(SECRET)).toBe(MASK);
    expect(closed.value({ tool: SECRET, n: 1 })).toEqual({ [MASK]: 1 });
    expect(streamed(closed, [SECRET, SECRET])).toBe(MASK);
  });

  test("a working one is unchanged by it", () => {
    const closed = failClosed(createRedactor([SECRET]));
    expect(closed.value({ tool: ` ${SECRET}` })).toEqual({ tool: ` ${MASK}` });
    expect(streamed(closed, ["a ", SECRET, " b"])).toBe(`a ${MASK} b`);
  });
});
