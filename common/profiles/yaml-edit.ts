import { type Document, isAlias, isMap, isNode, isScalar, type Node, parseDocument, YAMLMap } from "yaml";
import { TalariaError } from "../base/errors.ts";

/** One setting: a key, or a key of a section; null takes it out. */
export interface YamlChange {
  readonly path: readonly [string] | readonly [string, string];
  readonly value: string | number | boolean | null;
}

/**
 * The text of a YAML file with some settings changed; comments, order and everything else stay. Throws
 * `profile_unavailable` for a file that cannot be understood, or in which an anchor shares the setting with others (P-6).
 */
export const editYaml = (
  text: string,
  what: string,
  changes: readonly YamlChange[],
  scalarKey: Readonly<Record<string, string>> = {},
): string => {
  const refuse: Refuse = (why) => {
    throw new TalariaError("profile_unavailable", `${what} ${why}`);
  };
  const document = parse(text, refuse);
  for (const change of changes) apply(document, change, scalarKey, refuse);
  const lines = document.toString({ lineWidth: 0 });
  const edited = text.includes("\r\n") ? lines.replaceAll("\n", "\r\n") : lines;
  demandOnlyChanges(parse(text, refuse), parse(edited, refuse), changes, scalarKey, refuse);
  return edited;
};

type Refuse = (why: string) => never;

const parse = (text: string, refuse: Refuse): Document => {
  // Not "silent": that would take the first of several documents and drop the others.
  // Integers of any length come back as they were: ids of chat programs are longer than a double.
  const document = parseDocument(text, { prettyErrors: false, logLevel: "error", intAsBigInt: true });
  const [fault] = document.errors;
  // Position and code only: the message may quote the file.
  if (fault !== undefined) refuse(`is invalid: ${fault.code} at character ${fault.pos[0]}`);
  const { contents } = document;
  if (contents === null || isMap(contents)) return document;
  if (!isScalar(contents) || contents.value !== null) refuse("is no map of settings");
  document.contents = null;
  return document;
};

const apply = (
  document: Document,
  { path, value }: YamlChange,
  scalarKey: Readonly<Record<string, string>>,
  refuse: Refuse,
): void => {
  const [section, key] = path;
  if (key !== undefined) {
    const node = document.get(section, true) as Node | undefined;
    demandUnshared(node, section, refuse);
    if (node !== undefined && !isMap(node)) {
      if (value === null && isScalar(node) && node.value === null) return;
      document.set(
        section,
        sectionOf(document, node, scalarKey[section], () => refuse(`has no section "${section}"`)),
      );
    }
  }
  const node = document.getIn(path, true) as Node | undefined;
  demandUnshared(node, path.join("."), refuse);
  if (value === null) {
    if (node !== undefined) document.deleteIn(path);
  } else if (node !== undefined && !isScalar(node)) refuse(`has no simple value for "${path.join(".")}"`);
  else document.setIn(path, value);
};

/** `model: name` is short for `model: {default: name}`; an empty section is an empty map. */
const sectionOf = (document: Document, node: Node, key: string | undefined, refuse: () => never): YAMLMap => {
  if (!isScalar(node) || (node.value !== null && key === undefined)) return refuse();
  const map = new YAMLMap(document.schema);
  if (node.value !== null && key !== undefined) map.set(document.createNode(key), node.value);
  const comments = [node.commentBefore, node.comment].filter((text) => typeof text === "string");
  if (comments.length > 0) map.commentBefore = comments.join("\n");
  return map;
};

/** What others refer to, or what is referred to, is theirs as well. */
const demandUnshared = (node: Node | undefined, where: string, refuse: Refuse): void => {
  if (!isNode(node)) return;
  if (isAlias(node) || ("anchor" in node && node.anchor !== undefined))
    refuse(`shares "${where}" through an anchor: change it by hand`);
};

/** The new text is read back before anything is written: the changes are in it, and nothing else changed. */
const demandOnlyChanges = (
  before: Document,
  after: Document,
  changes: readonly YamlChange[],
  scalarKey: Readonly<Record<string, string>>,
  refuse: Refuse,
): void => {
  const expected = plain(before, refuse);
  for (const { path, value } of changes) {
    const [section, key] = path;
    let target = expected;
    if (key !== undefined) {
      const now = expected[section];
      const short = scalarKey[section];
      if (now === null || now === undefined) {
        if (value === null) continue;
        expected[section] = {};
      } else if (typeof now !== "object" && short !== undefined) expected[section] = { [short]: now };
      target = expected[section] as Record<string, unknown>;
    }
    const last = key ?? section;
    if (value === null) delete target[last];
    else target[last] = value;
  }
  if (JSON.stringify(expected, asText) !== JSON.stringify(plain(after, refuse), asText))
    refuse("cannot be changed safely: change it by hand");
};

const plain = (document: Document, refuse: Refuse): Record<string, unknown> => {
  try {
    return (document.toJS({ maxAliasCount: 100 }) ?? {}) as Record<string, unknown>;
  } catch {
    return refuse("cannot be expanded");
  }
};

const asText = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" || typeof value === "number" ? `number ${value}` : value;
