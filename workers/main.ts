import { openBackbone } from "../common/backbone/open.ts";
import { within } from "../common/base/bounded-wait.ts";
import { isTalariaError, messageOf } from "../common/base/errors.ts";
import { loadConfig } from "../common/config/load.ts";
import { createLogger } from "../common/logging/logger.ts";
import { startWorker } from "./worker.ts";

/** Exit codes: 78 when the configuration is wrong, so that whoever started the process does not start it again. */
const EXIT_CONFIG = 78;
/** Beyond the time that running work gets when the worker stops. */
const HAND_BACK_MS = 10_000;

const main = async (): Promise<void> => {
  const config = loadConfig(process.env, { argv: process.argv.slice(2) });
  const log = createLogger({ name: "worker", level: config.log.level });
  const backbone = await openBackbone(config, "worker", log);
  const worker = await startWorker(backbone);
  log.info(
    {
      worker: backbone.name,
      pid: process.pid,
      queues: config.worker.queues,
      profiles: config.worker.profiles ?? "all",
      concurrency: config.worker.concurrency,
    },
    "worker ready",
  );

  let ending = false;
  const end = async (why: string, code = 0): Promise<void> => {
    if (ending) return;
    ending = true;
    log.info({ why }, "worker stops: no new jobs, running ones get a moment and are handed back");
    const drained = await within(
      worker.drain().then(() => true),
      config.worker.drainMs + HAND_BACK_MS,
      false,
    );
    if (!drained)
      log.warn("not everything was handed back in time: the rest is taken over when its leases run out");
    const failed = await backbone.closers.close(3_000);
    if (failed.length > 0) log.warn({ failed }, "not everything closed in time");
    // What could not be handed back may keep the process alive: it ends all the same, and says so.
    process.exit(code || (drained ? 0 : 1));
  };
  void worker.ends.then(({ why, code }) => end(why, code));
  process.on("SIGTERM", () => void end("SIGTERM"));
  process.on("SIGINT", () => void end("SIGINT"));
  // Started by a supervisor that is gone: nobody would stop this process any more.
  process.on("disconnect", () => void end("the supervisor is gone"));
  // Whoever hears it may send the stop signal at once.
  process.send?.({ type: "ready" });
};

main().catch((error: unknown) => {
  const wrong = isTalariaError(error, "config_invalid");
  process.stderr.write(`${wrong ? messageOf(error) : `the worker cannot start: ${messageOf(error)}`}\n`);
  process.exit(wrong ? EXIT_CONFIG : 1);
});
