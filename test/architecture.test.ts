import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Room -> rooms it may import. What is not listed is refused, so rooms cannot form a circle. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "common/base": [],
  "common/contracts": ["common/base"],
  "common/config": ["common/base"],
  "common/logging": ["common/base"],
  "common/metrics": ["common/base", "common/contracts", "common/journal", "common/sqlite"],
  "common/tracing": ["common/base", "common/config", "common/logging"],
  "common/redis": ["common/base", "common/contracts"],
  "common/sqlite": ["common/base"],
  "common/secrets": [],
  "common/profiles": ["common/base", "common/contracts", "common/secrets"],
  "common/journal": ["common/base", "common/contracts", "common/redis"],
  "common/sessions": ["common/base", "common/contracts", "common/sqlite"],
  "common/state-db": ["common/base", "common/contracts", "common/sqlite", "common/reconcile"],
  "common/search": ["common/base", "common/sqlite", "common/state-db"],
  "common/runs": [
    "common/base",
    "common/compression",
    "common/contracts",
    "common/sqlite",
    "common/sessions",
    "common/titles",
  ],
  "common/compression": ["common/base", "common/contracts"],
  "common/jobs": [
    "common/base",
    "common/compression",
    "common/contracts",
    "common/sqlite",
    "common/sessions",
    "common/runs",
  ],
  "common/deliveries": ["common/base", "common/contracts", "common/secrets", "common/sqlite", "common/runs"],
  "common/processes": ["common/base", "common/contracts", "common/sqlite", "common/sessions", "common/runs"],
  "common/talaria-db": [
    "common/base",
    "common/contracts",
    "common/deliveries",
    "common/jobs",
    "common/processes",
    "common/sqlite",
    "common/sessions",
    "common/runs",
    "common/journal",
  ],
  "common/transcript": [
    "common/base",
    "common/compression",
    "common/contracts",
    "common/profiles",
    "common/reconcile",
    "common/search",
    "common/sessions",
    "common/sqlite",
    "common/state-db",
    "common/talaria-db",
  ],
  "common/mirror": [
    "common/base",
    "common/contracts",
    "common/lifecycle",
    "common/profiles",
    "common/search",
    "common/sessions",
    "common/sqlite",
    "common/state-db",
    "common/talaria-db",
    "common/transcript",
  ],
  "common/queues": ["common/base", "common/contracts", "common/profiles", "common/redis"],
  "common/reconcile": [],
  "common/titles": ["common/base", "common/reconcile"],
  "common/recaps": ["common/contracts", "common/titles"],
  "common/updates": ["common/contracts", "common/titles"],
  "common/exchange": ["common/base", "common/contracts", "common/reconcile", "common/state-db"],
  "common/lifecycle": [
    "common/base",
    "common/contracts",
    "common/journal",
    "common/processes",
    "common/queues",
    "common/runs",
    "common/sessions",
    "common/sqlite",
    "common/state-db",
    "common/talaria-db",
    "common/tracing",
  ],
  "common/backbone": [
    "common/base",
    "common/contracts",
    "common/config",
    "common/logging",
    "common/redis",
    "common/sqlite",
    "common/profiles",
    "common/journal",
    "common/sessions",
    "common/state-db",
    "common/runs",
    "common/talaria-db",
    "common/queues",
    "common/lifecycle",
    "common/metrics",
    "common/mirror",
    "common/search",
    "common/tracing",
    "common/transcript",
  ],
  "workers/engines": ["common/base", "common/compression", "common/contracts", "workers/tools"],
  "workers/tools": ["common/base", "common/contracts"],
  "workers/processes": [
    "common/base",
    "common/contracts",
    "common/lifecycle",
    "common/logging",
    "workers/tools",
  ],
  "workers/mcp": ["common/base", "common/profiles", "workers/tools"],
  "workers/environment": ["common/base", "common/contracts", "common/profiles"],
  "workers/auxiliary": [
    "common/base",
    "common/contracts",
    "common/logging",
    "common/profiles",
    "common/titles",
    "workers/engines",
  ],
  "workers/titles": [
    "common/contracts",
    "common/logging",
    "common/titles",
    "workers/auxiliary",
    "workers/engines",
  ],
  "workers/recaps": ["common/contracts", "common/logging", "common/recaps", "workers/auxiliary"],
  "workers/updates": [
    "common/base",
    "common/contracts",
    "common/jobs",
    "common/lifecycle",
    "common/logging",
    "common/profiles",
    "common/updates",
    "workers/auxiliary",
  ],
  "workers/compression": [
    "common/base",
    "common/compression",
    "common/contracts",
    "common/jobs",
    "common/logging",
    "common/profiles",
    "common/transcript",
    "workers/auxiliary",
    "workers/engines",
  ],
  "workers/run": [
    "common/base",
    "common/compression",
    "common/jobs",
    "workers/auxiliary",
    "workers/compression",
    "common/contracts",
    "common/logging",
    "common/profiles",
    "common/journal",
    "common/runs",
    "common/lifecycle",
    "common/tracing",
    "common/transcript",
    "workers/engines",
  ],
  "workers/deliver": [
    "common/base",
    "common/config",
    "common/contracts",
    "common/deliveries",
    "common/lifecycle",
    "common/logging",
  ],
  "api/middleware": ["common/base", "common/config", "common/contracts", "common/logging"],
  "workers/jobs": [
    "common/base",
    "common/compression",
    "workers/compression",
    "common/contracts",
    "common/jobs",
    "common/lifecycle",
    "common/logging",
    "common/profiles",
    "common/recaps",
    "common/runs",
    "common/titles",
    "common/transcript",
    "workers/auxiliary",
    "workers/recaps",
    "workers/titles",
  ],
  "workers/maintenance": [
    "common/base",
    "common/contracts",
    "common/journal",
    "common/lifecycle",
    "common/logging",
    "common/queues",
    "common/sqlite",
  ],
  "workers/consume": [
    "common/base",
    "common/config",
    "common/logging",
    "common/metrics",
    "common/profiles",
    "common/queues",
    "common/tracing",
  ],
  "api/ops": ["common/base", "common/contracts", "common/metrics", "common/queues", "common/runs"],
  "api/openapi": ["common/base", "common/contracts", "api/route.ts"],
  "api/sse": [
    "common/base",
    "common/contracts",
    "common/config",
    "common/journal",
    "common/redis",
    "common/sessions",
    "common/runs",
  ],
  "api/web": ["common/base", "common/contracts"],
};

/** Rooms that the browser loads: no `node:` below them. */
const BROWSER_SAFE = ["common/base", "common/contracts", "api/web"];
/** The ones that hand the process' environment to the one reader of settings, and the one that puts scopes over it. */
const ENVIRONMENT_READERS = ["api/main.ts", "workers/main.ts", "workers/environment/profile-env.ts"];

const sources = (folder: string): string[] =>
  readdirSync(join(ROOT, folder)).flatMap((name) => {
    const path = join(folder, name);
    if (name === "node_modules" || name === "dist") return [];
    if (statSync(join(ROOT, path)).isDirectory()) return sources(path);
    return /\.tsx?$/.test(name) ? [path] : [];
  });

const importsOf = (file: string): string[] =>
  ts
    .preProcessFile(readFileSync(join(ROOT, file), "utf8"), true, true)
    .importedFiles.map((found) => found.fileName);

/** What is imported for more than its types. */
const loadsOf = (file: string): string[] =>
  ts
    .createSourceFile(file, readFileSync(join(ROOT, file), "utf8"), ts.ScriptTarget.Latest)
    .statements.flatMap((statement) => {
      const isLoad =
        (ts.isImportDeclaration(statement) &&
          statement.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword) ||
        (ts.isExportDeclaration(statement) && !statement.isTypeOnly);
      const from = isLoad ? statement.moduleSpecifier : undefined;
      if (from === undefined || !ts.isStringLiteral(from)) return [];
      const named = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined;
      const onlyTypes =
        ts.isImportDeclaration(statement) &&
        statement.importClause?.name === undefined &&
        named !== undefined &&
        ts.isNamedImports(named) &&
        named.elements.every((element) => element.isTypeOnly);
      return onlyTypes ? [] : [from.text];
    });

const roomOf = (file: string): string => file.split("/").slice(0, 2).join("/");
const files = ["common", "workers", "api", "scripts"].flatMap(sources);
const edges = files.flatMap((from) =>
  importsOf(from)
    .filter((name) => name.startsWith("."))
    .map((name) => ({ from, to: relative(ROOT, resolve(ROOT, dirname(from), name)) })),
);

test("every room imports only the rooms its line allows", () => {
  const wrong = edges.filter(({ from, to }) => {
    const rooms = MAY_IMPORT[roomOf(from)];
    return rooms !== undefined && roomOf(to) !== roomOf(from) && !rooms.includes(roomOf(to));
  });
  expect(wrong).toEqual([]);
});

test("every room of common has its line", () => {
  const rooms = new Set(files.filter((file) => file.startsWith("common/")).map(roomOf));
  expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
});

test("api and workers meet in data, never in code; common knows neither; nobody imports scripts", () => {
  const top = (file: string): string => file.split("/")[0] ?? "";
  const wrong = edges.filter(({ from, to }) => {
    if (top(to) === "scripts") return top(from) !== "scripts";
    if (top(from) === "api") return top(to) === "workers";
    if (top(from) === "workers") return top(to) === "api";
    return top(from) === "common" && top(to) !== "common";
  });
  // The demo's model server is also the tests' and benchmarks' one; scripts may use it.
  expect(wrong).toEqual([]);
});

test("modules form no circle", () => {
  const next = Map.groupBy(edges, (edge) => edge.from);
  const state = new Map<string, "open" | "done">();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      return;
    }
    state.set(file, "open");
    for (const { to } of next.get(file) ?? []) visit(to, [...path, file]);
    state.set(file, "done");
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

test("what the browser loads uses nothing of Node", () => {
  const wrong = files
    .filter((file) => BROWSER_SAFE.includes(roomOf(file)) && !file.endsWith("vite.config.ts"))
    .filter((file) => importsOf(file).some((name) => name.startsWith("node:")));
  expect(wrong).toEqual([]);
});

test("the page loads no schema library: its policy forbids code that is made at run time", () => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const name of loadsOf(file)) {
      if (name === "zod") throw new Error(`${file} loads zod into the page`);
      if (/^\..*\.tsx?$/.test(name)) visit(relative(ROOT, resolve(ROOT, dirname(file), name)));
    }
  };
  visit("api/web/main.tsx");
  expect(seen.size).toBeGreaterThan(50);
});

test("process.env is read where a process starts, and nowhere else", () => {
  const wrong = files
    .filter((file) => !file.startsWith("scripts/") && !ENVIRONMENT_READERS.includes(file))
    .filter((file) => /\bprocess\.env\b/.test(withoutComments(file)));
  expect(wrong).toEqual([]);
});

test("the suite runs as ES modules", async () => {
  const here = await Promise.resolve(import.meta.url);
  expect(here.startsWith("file:")).toBe(true);
});

const withoutComments = (file: string): string =>
  readFileSync(join(ROOT, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
