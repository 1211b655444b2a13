/** A kind of key, recognised by how it begins and what follows. */
export interface KeyPattern {
  /** Lower case when `anyCase`. */
  readonly prefix: string;
  /** One character of the key. */
  readonly body: RegExp;
  /** With fewer characters after the prefix it is no key: "sk-learn" stays readable. */
  readonly least: number;
  readonly anyCase?: true;
  /** The prefix tells what was masked and is no secret. */
  readonly keepPrefix?: true;
}

const WORD = /[A-Za-z0-9]/;
const WORD_DASH = /[A-Za-z0-9_-]/;
const PEM = /[A-Za-z0-9+/=\r\n\\]/;

export const KEY_PATTERNS: readonly KeyPattern[] = [
  { prefix: "sk-", body: WORD_DASH, least: 16 },
  ...["sk_live_", "sk_test_", "rk_live_"].map((prefix) => ({ prefix, body: WORD, least: 16 })),
  ...["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "hf_", "gsk_", "npm_"].map((prefix) => ({
    prefix,
    body: WORD,
    least: 20,
  })),
  { prefix: "github_pat_", body: /[A-Za-z0-9_]/, least: 20 },
  { prefix: "glpat-", body: WORD_DASH, least: 16 },
  ...["AKIA", "ASIA"].map((prefix) => ({ prefix, body: /[A-Z0-9]/, least: 16 })),
  { prefix: "AIza", body: WORD_DASH, least: 30 },
  ...["xoxb-", "xoxp-", "xoxa-", "xoxs-", "xoxr-"].map((prefix) => ({
    prefix,
    body: /[A-Za-z0-9-]/,
    least: 10,
  })),
  { prefix: "bearer ", body: /[A-Za-z0-9._~+/=-]/, least: 20, anyCase: true, keepPrefix: true },
  ...["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "].map((kind) => ({
    prefix: `-----BEGIN ${kind}PRIVATE KEY-----`,
    body: PEM,
    least: 40,
    keepPrefix: true as const,
  })),
];

/** Shorter values are words ("true", "8080"): masking them would spoil the text and protect nothing. */
const LEAST_SECRET_CHARS = 8;
/** A fragment of base64 shorter than this occurs by chance. */
const LEAST_BASE64_CHARS = 8;

/** The secrets as they may appear in a text, longest first. */
export const variantsOf = (secrets: readonly string[]): readonly string[] => {
  const variants = new Set<string>();
  for (const given of secrets) {
    const secret = given.trim();
    if (secret.length < LEAST_SECRET_CHARS) continue;
    const url = encodeURIComponent(secret.toWellFormed());
    variants.add(secret);
    variants.add(url);
    variants.add(url.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()));
    variants.add(new URLSearchParams([["", secret]]).toString().slice(1));
    variants.add(JSON.stringify(secret).slice(1, -1));
    for (const variant of base64Of(secret)) variants.add(variant);
  }
  return [...variants].sort((a, b) => b.length - a.length);
};

/**
 * The secret inside base64 of a longer text (`user:secret`): three alignments, each without the characters that also
 * depend on the neighbours; and its own encoding, with and without padding.
 */
const base64Of = (secret: string): readonly string[] => {
  const bytes = Buffer.from(secret, "utf8");
  const whole = bytes.toString("base64");
  const variants: string[] = [whole, whole.replace(/=+$/, "")];
  for (const shift of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    const first = Math.ceil((shift * 8) / 6);
    const end = Math.floor(((shift + bytes.length) * 8) / 6);
    variants.push(encoded.slice(first, end));
  }
  return variants
    .flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_")])
    .filter((text) => text.length >= LEAST_BASE64_CHARS);
};
