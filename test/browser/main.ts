import { chromium } from "playwright-core";
import { type Spec, withBench } from "./bench.ts";
import { compressionSpecs } from "./compression.spec.ts";
import { layoutSpecs } from "./layout.spec.ts";
import { manyRunsSpecs } from "./many-runs.spec.ts";
import { notifySpecs } from "./notify.spec.ts";
import { operationsSpecs } from "./operations.spec.ts";
import { outsideSpecs } from "./outside.spec.ts";
import { processSpecs } from "./processes.spec.ts";
import { profileSpecs } from "./profiles.spec.ts";
import { recapsSpecs } from "./recaps.spec.ts";
import { startServer } from "./server.ts";
import { streamSpecs } from "./stream.spec.ts";
import { titlesSpecs } from "./titles.spec.ts";
import { updatesSpecs } from "./updates.spec.ts";
import { workSpecs } from "./work.spec.ts";

/**
 * The page in a real browser, against the whole server with its demo model. `BASE_URL` names a running one, otherwise one
 * is started on a free port and an empty home. Arguments pick specs by a part of their names. Ends with
 * `N passed, N failed`.
 */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const main = async (): Promise<boolean> => {
  const wanted = process.argv.slice(2);
  const all = [
    ...workSpecs,
    ...streamSpecs,
    ...outsideSpecs,
    ...profileSpecs,
    ...titlesSpecs,
    ...recapsSpecs,
    ...updatesSpecs,
    ...compressionSpecs,
    ...processSpecs,
    ...operationsSpecs,
    ...manyRunsSpecs,
    ...notifySpecs,
    ...layoutSpecs,
  ];
  const specs: readonly Spec[] = all.filter(
    ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
  );
  const server = await startServer();
  const executablePath =
    process.env.TALARIA_TEST_CHROMIUM ?? process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  let failed = 0;
  try {
    for (const spec of specs) {
      const began = performance.now();
      const error = await withBench(browser, server, spec);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      if (error === null) console.log(`ok    ${spec.name} (${seconds} s)`);
      else {
        failed += 1;
        console.log(`FAIL  ${spec.name} (${seconds} s)\n${error.replaceAll(/^/gm, "      ")}`);
      }
    }
  } finally {
    await browser.close();
    await server.stop();
  }
  console.log(`${specs.length - failed} passed, ${failed} failed`);
  return failed === 0 && specs.length > 0;
};

main().then(
  (ok) => {
    process.exitCode = ok ? 0 : 1;
  },
  (error: unknown) => {
    console.error(error);
    console.log("0 passed, 1 failed");
    process.exitCode = 1;
  },
);
