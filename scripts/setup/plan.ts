import { messageOf } from "../../common/base/errors.ts";
import { loadConfig } from "../../common/config/load.ts";
import { DEFAULT_PROFILE } from "../../common/profiles/names.ts";
import { resolveProfile } from "../../common/profiles/resolve.ts";

/** Exit code of a configuration that is wrong; the lines are on stderr. */
const EX_CONFIG = 78;
const PRIVATE = "redis://private.invalid";

/**
 * What `npm start` must know before it starts anything, as one line of JSON: it runs on an older Node without packages and
 * cannot read the configuration itself. `redisUrl` is null when a private server is to be started.
 */
const main = async (): Promise<void> => {
  const config = loadConfig(process.env, { fallbackRedisUrl: PRIVATE });
  const provider = await resolveProfile(config.home, DEFAULT_PROFILE).then(
    (profile) => profile.model.provider,
    (error: unknown) => `none: ${messageOf(error)}`,
  );
  const plan = {
    home: config.home,
    stateDir: config.stateDir,
    host: config.http.host,
    port: config.http.port,
    redisUrl: config.redis.url === PRIVATE ? null : config.redis.url,
    drainMs: config.worker.drainMs,
    provider,
  };
  process.stdout.write(`${JSON.stringify(plan)}\n`);
};

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = EX_CONFIG;
});
