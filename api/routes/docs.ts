import { readFileSync } from "node:fs";
import { openApiDocument } from "../openapi/document.ts";
import { renderDocument } from "../openapi/page.ts";
import { operation, type Resource } from "../route.ts";

/** The OpenAPI document of `resources` and the same as a page to read. Neither loads anything from elsewhere. */
export const docsRoutes = (resources: readonly Resource[], version: string): readonly Resource[] => {
  const document = openApiDocument(resources, version);
  const json = JSON.stringify(document);
  const page = renderDocument(document);
  const css = readFileSync(new URL("../openapi/page.css", import.meta.url), "utf8");

  const serving = (path: string, summary: string, type: string, text: string): Resource => ({
    path,
    tag: "Documentation",
    access: "protected",
    methods: {
      get: operation({
        summary,
        answers: { 200: { description: summary, type } },
        handle: ({ res }) => void res.type(type).set("Cache-Control", "no-cache").send(text),
      }),
    },
  });
  return [
    serving("/api/openapi.json", "This description", "application/json", json),
    serving("/api/docs", "This description as a page", "text/html", page),
    serving("/api/docs.css", "Style of that page", "text/css", css),
  ];
};
