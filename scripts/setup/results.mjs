import { appendFileSync, readFileSync } from "node:fs";

/** Names a file in which test runs leave their counts, one line of JSON each; set by the CI script. */
const VARIABLE = "TALARIA_TEST_RESULTS";

export const recordResult = (result) => {
  const file = process.env[VARIABLE];
  if (file !== undefined && file !== "") appendFileSync(file, `${JSON.stringify(result)}\n`);
};

/** `{passed, failed}` of a jest `--json` report; a suite that could not run is a failure. null: no report. */
export const readJestReport = (file) => {
  try {
    const report = JSON.parse(readFileSync(file, "utf8"));
    const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
    return { passed: report.numPassedTests, failed: failed === 0 && !report.success ? 1 : failed };
  } catch {
    return null;
  }
};

/**
 * Files of a jest `--json` report whose process V8 brought down (SIGSEGV while it collects garbage: known of Node 24 where jest's vm
 * modules meet threads, nodejs/node #62393). Nothing was tested in them; other deaths of a process are failures.
 */
export const crashedFiles = (file) => {
  try {
    return JSON.parse(readFileSync(file, "utf8"))
      .testResults.filter(
        ({ message, assertionResults }) =>
          assertionResults.length === 0 && /jest worker process .*signal=SIGSEGV/.test(message),
      )
      .map(({ name }) => name);
  } catch {
    return [];
  }
};

/** `{passed, failed}` of a closing line `N passed, N failed`; the last one counts. null: there is none. */
export const readClosingLine = (output) => {
  const match = [...output.matchAll(/^(\d+) passed, (\d+) failed\r?$/gm)].at(-1);
  return match === undefined ? null : { passed: Number(match[1]), failed: Number(match[2]) };
};

/** Sum over a results file; a file nobody wrote is empty. */
export const sumResults = (file) => {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // Nothing was recorded.
  }
  const results = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
  };
};
