import type { OpenApiDocument } from "./document.ts";

/**
 * The document as one static HTML page: no script, no inline style, nothing from elsewhere, so the strictest policy lets it
 * through. Everything that comes out of the document is escaped.
 */
export const renderDocument = (document: OpenApiDocument): string => {
  const tags = (document.tags ?? []).map(({ name }) => name);
  const operations = operationsOf(document);
  const events = Object.entries(document.components?.schemas ?? {});
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(document.info.title)} API</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/api/docs.css">
</head>
<body>
<header>
<h1>${escaped(document.info.title)} API <small>${escaped(document.info.version)}</small></h1>
<p>${prose(document.info.description ?? "")}</p>
<p>The same for programs: <a href="/api/openapi.json">/api/openapi.json</a></p>
</header>
<nav aria-label="Contents"><ul>
${tags.map((tag) => `<li><a href="#${anchor(tag)}">${escaped(tag)}</a></li>`).join("\n")}
<li><a href="#schemas">Schemas</a></li>
</ul></nav>
<main>
${tags
  .map(
    (tag) => `<section id="${anchor(tag)}"><h2>${escaped(tag)}</h2>
${operations
  .filter((operation) => operation.tag === tag)
  .map(({ html }) => html)
  .join("\n")}
</section>`,
  )
  .join("\n")}
<section id="schemas"><h2>Schemas</h2>
${events.map(([name, schema]) => `<article id="${anchor(name)}"><h3>${escaped(name)}</h3>${schemaHtml(schema)}</article>`).join("\n")}
</section>
</main>
</body>
</html>
`;
};

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: unknown;
}
type Content = Readonly<Record<string, { readonly schema?: unknown }>>;

const operationsOf = (document: OpenApiDocument): { tag: string; html: string }[] =>
  Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    (["get", "post", "patch", "delete"] as const).flatMap((method) => {
      const operation = item[method];
      if (operation === undefined) return [];
      const parameters = (operation.parameters ?? []) as unknown as readonly Parameter[];
      const body = (operation.requestBody as { content?: Content } | undefined)?.content;
      const responses = Object.entries(operation.responses ?? {}) as [
        string,
        { description: string; content?: Content },
      ][];
      const html = `<details><summary><b class="${method}">${method.toUpperCase()}</b> <code>${escaped(path)}</code> <span>${prose(operation.summary ?? "")}</span></summary>
${operation.description === undefined ? "" : `<p>${prose(operation.description)}</p>`}
${parameters.length === 0 ? "" : `<h4>Parameters</h4>${parameterTable(parameters)}`}
${body === undefined ? "" : `<h4>Body</h4>${contentHtml(body)}`}
<h4>Answers</h4><dl>
${responses.map(([status, answer]) => `<dt>${escaped(status)}</dt><dd>${prose(answer.description)}${answer.content === undefined ? "" : contentHtml(answer.content)}</dd>`).join("\n")}
</dl></details>`;
      return [{ tag: operation.tags?.[0] ?? "", html }];
    }),
  );

const parameterTable = (parameters: readonly Parameter[]): string =>
  `<table><thead><tr><th>Name</th><th>In</th><th>Type</th><th></th></tr></thead><tbody>${parameters
    .map(
      ({ name, in: where, required, description, schema }) =>
        `<tr><td><code>${escaped(name)}</code>${required === true ? " *" : ""}</td><td>${escaped(where)}</td><td>${typeOf(schema)}</td><td>${prose(description ?? describedIn(schema))}</td></tr>`,
    )
    .join("")}</tbody></table>`;

const contentHtml = (content: Content): string =>
  Object.entries(content)
    .map(([type, { schema }]) =>
      type === "application/json" ? schemaHtml(schema) : ` <code>${escaped(type)}</code>`,
    )
    .join("");

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly items?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly unknown[];
  readonly oneOf?: readonly unknown[];
  readonly default?: unknown;
}
const asSchema = (schema: unknown): Schema =>
  typeof schema === "object" && schema !== null ? (schema as Schema) : {};

const schemaHtml = (given: unknown): string => {
  const schema = asSchema(given);
  if (schema.properties === undefined) return ` <span>${typeOf(schema)}</span>`;
  const required = new Set(schema.required ?? []);
  return `<table><thead><tr><th>Field</th><th>Type</th><th></th></tr></thead><tbody>${Object.entries(
    schema.properties,
  )
    .map(
      ([name, field]) =>
        `<tr><td><code>${escaped(name)}</code>${required.has(name) ? " *" : ""}</td><td>${typeOf(field)}</td><td>${prose(describedIn(field))}</td></tr>`,
    )
    .join("")}</tbody></table>`;
};

const describedIn = (given: unknown): string => {
  const schema = asSchema(given);
  const fallback = schema.default === undefined ? "" : `default \`${JSON.stringify(schema.default)}\``;
  return [schema.description ?? "", fallback].filter((text) => text !== "").join("; ");
};

/** A type in a few words; a named schema becomes a link. */
const typeOf = (given: unknown): string => {
  const schema = asSchema(given);
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace("#/components/schemas/", "");
    return `<a href="#${anchor(name)}">${escaped(name)}</a>`;
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map(typeOf).join(" | ");
  if (schema.const !== undefined) return `<code>${escaped(JSON.stringify(schema.const))}</code>`;
  if (schema.enum !== undefined)
    return schema.enum.map((value) => `<code>${escaped(JSON.stringify(value))}</code>`).join(" | ");
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (schema.properties !== undefined) return `{ ${Object.keys(schema.properties).map(escaped).join(", ")} }`;
  return escaped([schema.type ?? "any"].flat().join(" | "));
};

const anchor = (name: string): string => encodeURIComponent(name.toLowerCase().replaceAll(" ", "-"));
/** Escaped text in which `code` is code. */
const prose = (text: string): string => escaped(text).replaceAll(/`([^`]*)`/g, "<code>$1</code>");
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
