/**
 * `npm start`: everything from a fresh clone to one URL. Installs packages, builds the page, runs a private Redis (or uses
 * REDIS_URL), one api and one worker process, and keeps them running until Ctrl-C or SIGTERM. Runs on any Node >= 20
 * without packages; what it starts runs on the pinned Node.
 */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { claimHome } from "./setup/claim.mjs";
import { createChildLog } from "./setup/logs.mjs";
import { ensurePackages, pinnedNode, ROOT } from "./setup/packages.mjs";
import { ensureRedisServer } from "./setup/programs.mjs";
import { isFree, preparePrivateRedis, redisDirOf, waitForRedis } from "./setup/redis.mjs";
import { checkNode, failWith, SetupError, say } from "./setup/steps.mjs";
import { supervise } from "./setup/supervise.mjs";
import { ensureWeb } from "./setup/web.mjs";

const READY_LIMIT_MS = 120_000;
/** A terminal and npm both send Ctrl-C: what comes within this time is the same one. */
const SAME_SIGNAL_MS = 1000;
/** Beyond the drain time, for handing runs back and closing. */
const DRAIN_MARGIN_MS = 5000;

const main = async () => {
  checkNode();
  process.stdout.on("error", () => undefined);
  await ensurePackages();
  const plan = readPlan();
  const claim = await claimHome(plan.stateDir);
  const house = createHouse(plan, claim);
  process.on("exit", claim.release);
  try {
    await checkPort(plan);
    await ensureWeb();
    if (plan.redisUrl === null) await house.startRedis();
    else await checkGivenRedis(plan.redisUrl);
    const url = await house.startProcesses();
    greet(plan, url, house);
    await house.ended;
  } catch (error) {
    if (!house.isStopping()) failWith(error);
  }
  await house.stop();
};

/** The configuration, read by the pinned Node; its complaints are shown as they are. */
const readPlan = () => {
  const plan = spawnSync(pinnedNode(), [join(ROOT, "scripts", "setup", "plan.ts")], { encoding: "utf8" });
  if (plan.status === 0) return JSON.parse(plan.stdout);
  const problems = (plan.stderr || String(plan.error ?? plan.signal)).trim();
  throw new SetupError(plan.status === 78 ? `The configuration is wrong:\n${problems}` : problems);
};

const checkPort = async ({ host, port }) => {
  if (port !== 0 && !(await isFree(port, host)))
    throw new SetupError(
      `Port ${port} of ${host} is taken by another program (or not allowed). Set PORT to a free one.`,
    );
};

const checkGivenRedis = async (url) => {
  if (url.startsWith("rediss:")) return;
  await waitForRedis(url, { limitMs: 4000 }).catch((error) => {
    throw new SetupError(`REDIS_URL: ${error.message}`);
  });
};

const greet = ({ home, stateDir, redisUrl, provider }, url, house) => {
  const processes = house.pids().map(([name, pid]) => `${name} ${pid}`);
  say("");
  say(`Talaria is running: ${url}`);
  say(`  processes: ${processes.join(", ")}${redisUrl === null ? " (private)" : "; Redis as configured"}`);
  say(`  home: ${home}   logs: ${join(stateDir, "logs")}`);
  if (provider === "demo")
    say(`  model: built-in demo (offline). For a real one see "model" in ${join(home, "config.yaml")}`);
  else if (provider.startsWith("none: ")) say(`  model: ${provider.slice(6)}`);
  say("  Ctrl-C stops it; running work goes on after the next start.");
};

/** Everything that was started, and the one way to stop it: worker, then api, then Redis. */
const createHouse = (plan, claim) => {
  const env = { ...process.env, NODE_ENV: process.env.NODE_ENV ?? "production" };
  const kept = [];
  let ready = false;
  let stopAt = null;
  let stopping = null;
  const ended = withResolvers();
  const failed = withResolvers();
  // Somebody may look only later, or never when we are stopping anyway.
  failed.promise.catch(() => undefined);
  const giveUp = (reason) => {
    failed.reject(new SetupError(reason));
    if (ready) {
      failWith(new SetupError(reason));
      ended.resolve();
    }
  };

  const stop = () => {
    stopAt ??= Date.now();
    stopping ??= stopAll();
    return stopping;
  };
  const stopAll = async () => {
    const limits = { worker: plan.drainMs + DRAIN_MARGIN_MS, api: 8000, redis: 15_000 };
    for (const name of ["worker", "api", "redis"]) {
      const one = kept.find((process) => process.name === name);
      if (one === undefined || one.pid === null) continue;
      if (name === "worker")
        say(`Stopping: running work may take up to ${Math.ceil(limits.worker / 1000)} s …`);
      if (!(await one.stop(limits[name]))) say(`[${name}] did not end in time and was killed`);
    }
    for (const one of kept) one.kill();
    if (kept.length > 0) say("Stopped.");
  };
  const onSignal = () => {
    if (stopAt !== null && Date.now() - stopAt > SAME_SIGNAL_MS) {
      say("Stopping by force.");
      for (const one of kept) one.kill();
    } else if (stopAt === null) {
      stopAt = Date.now();
      failed.reject(new Error("stopped"));
      ended.resolve();
      if (kept.length === 0) process.exit(130);
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, onSignal);

  const keep = (name, launch, more = {}) => {
    const one = supervise({
      name,
      launch,
      giveUp,
      isReady: () => ready,
      ...more,
      onStart: (child) => {
        claim.update({ children: { [name]: child.pid } });
        more.onStart?.(child);
      },
    });
    kept.push(one);
    return one;
  };

  const startRedis = async () => {
    const program = await ensureRedisServer();
    const server = await preparePrivateRedis({ program, dir: redisDirOf(plan.stateDir) });
    const redis = keep("redis", server.launch);
    await waitForRedis(server.url, { hasEnded: redis.hasFailed }).catch((error) => {
      throw new SetupError(`${error.message}; its log is ${server.log}`);
    });
    env.REDIS_URL = server.url;
  };

  const startProcesses = async () => {
    // The signal came while Redis was loading.
    if (stopAt !== null) throw new Error("stopped");
    const url = withResolvers();
    let known = null;
    const program = (name, entry, onMessage) =>
      keep(
        name,
        () =>
          spawn(pinnedNode(), ["--disable-warning=ExperimentalWarning", entry], {
            cwd: ROOT,
            env,
            detached: true,
            stdio: ["ignore", "pipe", "pipe", "ipc"],
          }),
        {
          log: createChildLog(name, join(plan.stateDir, "logs", `${name}.log`)),
          onStart: (child) => child.on("message", (message) => onMessage?.(message)),
        },
      );
    program("api", "api/main.ts", (message) => {
      if (message?.type !== "ready") return;
      if (known !== null) say("[api] is back");
      known = String(message.url);
      claim.update({ url: known });
      url.resolve(known);
    });
    program("worker", "workers/main.ts");
    const late = sleep(READY_LIMIT_MS, undefined, { ref: false }).then(() => {
      throw new SetupError(
        `The api did not become ready; its log is ${join(plan.stateDir, "logs", "api.log")}`,
      );
    });
    const result = await Promise.race([url.promise, failed.promise, late]);
    ready = true;
    return result;
  };

  return {
    startRedis,
    startProcesses,
    stop,
    ended: ended.promise,
    isStopping: () => stopAt !== null,
    pids: () => kept.map((one) => [one.name, one.pid]),
  };
};

/** Promise.withResolvers of Node 22, for Node 20. */
const withResolvers = () => {
  let resolve;
  let reject;
  const promise = new Promise((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
};

main().catch(failWith);
