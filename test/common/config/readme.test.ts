import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { SETTINGS, type Setting } from "../../../common/config/settings.ts";

/** README's configuration table is the list of settings: name, default, meaning. */
test("README documents every setting as it is", () => {
  const rows = (Object.values(SETTINGS) as readonly Setting[]).map(
    (setting) =>
      `| \`${setting.name}\` | ${setting.default ? `\`${setting.default}\`` : ""} | ${setting.meaning} |`,
  );
  const readme = readFileSync("README.md", "utf8")
    .split("\n")
    .filter((line) => /^\| `[A-Z][A-Z_]+` \|/.test(line));
  expect(readme).toEqual(rows);
});
