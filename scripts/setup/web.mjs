import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { pinnedNode, ROOT } from "./packages.mjs";
import { runStep } from "./steps.mjs";

/** Everything the browser client is built from. */
const SOURCES = ["api/web", "common/base", "common/contracts", "package-lock.json"];

/** Builds the browser client when its sources are not those of the last build. */
export const ensureWeb = async (root = ROOT) => {
  if (!existsSync(join(root, "api", "web", "index.html"))) return;
  const hash = sourceHash(root);
  const stamp = join(root, "api", "web", "dist", ".stamp");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  await runStep(
    "Building the web page",
    pinnedNode(root),
    ["node_modules/vite/bin/vite.js", "build", "api/web"],
    {
      cwd: root,
    },
  );
  // Last: a build that was interrupted is done again.
  writeFileSync(stamp, hash);
};

/** One hash over names and contents. */
export const sourceHash = (root = ROOT) => {
  const hash = createHash("sha256");
  for (const file of SOURCES.flatMap((source) => filesOf(join(root, source)))) {
    hash.update(`${relative(root, file)}\0`);
    hash.update(readFileSync(file));
  }
  return hash.digest("hex");
};

const filesOf = (path) => {
  if (!existsSync(path)) return [];
  if (path.endsWith(".json")) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.name !== "dist" && entry.name !== "node_modules")
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesOf(join(path, entry.name)) : [join(path, entry.name)]));
};
