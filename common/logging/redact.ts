import { MASK } from "../base/mask.ts";
import { KEY_PATTERNS, type KeyPattern, variantsOf } from "./secrets.ts";

/** Masks secrets in what is about to be journaled, logged or shown (security-contract 12; run-events R-4). */
export interface Redactor {
  /** A whole text. */
  text(value: string): string;
  /** Every string in a JSON value, property names included; the value itself is not changed. */
  value<T>(value: T): T;
  /** For text that arrives in pieces: one per text, in order. */
  stream(): RedactorStream;
}

export interface RedactorStream {
  /** What may be shown now. The end is kept back only while it could be the beginning of a secret. */
  push(delta: string): string;
  /** The rest, once nothing follows. All returned texts together equal `Redactor.text` of the whole. */
  flush(): string;
}

/**
 * Masks the known secrets (values of at least 8 characters, also URL-, JSON- and base64-encoded, at any alignment) and
 * what looks like a key of a well-known kind.
 */
export const createRedactor = (knownSecrets: readonly string[]): Redactor => {
  const scan = createMatcher(knownSecrets);
  const stream = (): RedactorStream => new Scanner(scan);
  const text = (value: string): string => {
    const whole = new Scanner(scan);
    return whole.push(value) + whole.flush();
  };
  return { text, stream, value: (value) => mapStrings(value, text) };
};

/**
 * The same redactor, closed on failure: where it throws, the mask takes the text's place, so nothing leaves raw and the run
 * goes on (run-events R-4).
 */
export const failClosed = (redactor: Redactor): Redactor => {
  const text = (value: string): string => {
    try {
      return redactor.text(value);
    } catch {
      return MASK;
    }
  };
  return { text, value: (value) => mapStrings(value, text), stream: () => closedStream(redactor) };
};

/** After the first throw nothing but one mask comes out: what the broken stream still held is lost on purpose. */
const closedStream = (redactor: Redactor): RedactorStream => {
  let inner: RedactorStream | null = null;
  let failed = false;
  const attempt = (work: (stream: RedactorStream) => string): string => {
    if (failed) return "";
    try {
      inner ??= redactor.stream();
      return work(inner);
    } catch {
      failed = true;
      return MASK;
    }
  };
  return { push: (delta) => attempt((s) => s.push(delta)), flush: () => attempt((s) => s.flush()) };
};

const mapStrings = <T>(value: T, map: (text: string) => string): T => {
  const walk = (part: unknown): unknown => {
    if (typeof part === "string") return map(part);
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part !== "object" || part === null) return part;
    // fromEntries defines own properties, so a "__proto__" key stays data.
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [map(key), walk(item)]));
  };
  return walk(value) as T;
};

/** What stands at a position: nothing, perhaps something (more text is needed), or a secret. */
type Found =
  | null
  | "open"
  | {
      /** Mask from here … */
      readonly from: number;
      /** … to here, and on while characters match `body`. */
      readonly to: number;
      readonly body: RegExp | null;
    };

/** `final` says that no more text follows `buffer`; `before` is the character in front of `at`, "" at the beginning. */
type Matcher = (buffer: string, at: number, before: string, final: boolean) => Found;

const ALPHANUMERIC = /[A-Za-z0-9]/;

const createMatcher = (knownSecrets: readonly string[]): Matcher => {
  const known = group(variantsOf(knownSecrets), (variant) => [variant.charAt(0)]);
  const patterns = group(KEY_PATTERNS, ({ prefix, anyCase }) =>
    anyCase ? [prefix.charAt(0), prefix.charAt(0).toUpperCase()] : [prefix.charAt(0)],
  );
  return (buffer, at, before, final) => {
    const first = buffer.charAt(at);
    const exact = matchKnown(known.get(first) ?? [], buffer, at, final);
    if (exact !== null) return exact;
    if (ALPHANUMERIC.test(before)) return null;
    let open = false;
    for (const pattern of patterns.get(first) ?? []) {
      const found = matchPattern(pattern, buffer, at, final);
      if (found === "open") open = true;
      else if (found !== null) return found;
    }
    return open ? "open" : null;
  };
};

const group = <T>(items: readonly T[], keysOf: (item: T) => readonly string[]): ReadonlyMap<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items)
    for (const key of keysOf(item)) groups.set(key, [...(groups.get(key) ?? []), item]);
  return groups;
};

/** Variants come longest first: a longer one that may still complete is waited for. */
const matchKnown = (variants: readonly string[], buffer: string, at: number, final: boolean): Found => {
  for (const variant of variants) {
    if (buffer.startsWith(variant, at)) return { from: at, to: at + variant.length, body: null };
    const rest = buffer.length - at;
    if (!final && rest < variant.length && variant.startsWith(buffer.slice(at))) return "open";
  }
  return null;
};

const matchPattern = (pattern: KeyPattern, buffer: string, at: number, final: boolean): Found => {
  const { prefix, body, least, anyCase, keepPrefix } = pattern;
  const head = buffer.slice(at, at + prefix.length);
  const seen = anyCase ? head.toLowerCase() : head;
  if (seen !== prefix)
    return !final && head.length < prefix.length && prefix.startsWith(seen) ? "open" : null;
  const start = at + prefix.length;
  let end = start;
  while (end < buffer.length && end - start < least && body.test(buffer.charAt(end))) end++;
  if (end - start === least) return { from: keepPrefix ? start : at, to: end, body };
  return !final && end === buffer.length ? "open" : null;
};

class Scanner implements RedactorStream {
  private readonly match: Matcher;
  private held = "";
  /** Last character in front of `held`, as it came in. */
  private before = "";
  /** A key was masked and goes on while characters match this. */
  private inside: RegExp | null = null;

  constructor(match: Matcher) {
    this.match = match;
  }

  push(delta: string): string {
    return this.advance(this.held + delta, false);
  }

  flush(): string {
    return this.advance(this.held, true);
  }

  private advance(buffer: string, final: boolean): string {
    let out = "";
    let shown = 0;
    let at = 0;
    while (at < buffer.length) {
      if (this.inside !== null) {
        while (at < buffer.length && this.inside.test(buffer.charAt(at))) at++;
        shown = at;
        if (at < buffer.length) this.inside = null;
        continue;
      }
      const before = at === 0 ? this.before : buffer.charAt(at - 1);
      const found = this.match(buffer, at, before, final);
      if (found === "open") break;
      if (found === null) at++;
      else {
        out += buffer.slice(shown, found.from) + MASK;
        this.inside = found.body;
        at = found.to;
        shown = at;
      }
    }
    out += buffer.slice(shown, at);
    if (at > 0) this.before = buffer.charAt(at - 1);
    this.held = buffer.slice(at);
    return out;
  }
}
