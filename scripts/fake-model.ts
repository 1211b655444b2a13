import { DEFAULT_DIRECTIVES, setDirective } from "../workers/engines/demo/directives.ts";
import { createModelServer } from "../workers/engines/demo/model-server.ts";

/**
 * The scripted model server as a process:
 *
 *   npm run fake-model -- --port 9099              listens on 127.0.0.1:9099 (base URL http://127.0.0.1:9099/v1)
 *   npm run fake-model -- --port 0 --tokens 50     any free port, default directives; prints {"ready":true,"port":N}
 *
 * The directives are described in workers/engines/demo/directives.ts.
 */
const defaults = { ...DEFAULT_DIRECTIVES };
let port = Number(process.env.FAKE_MODEL_PORT ?? 9099);
let host = "127.0.0.1";

const argv = process.argv.slice(2);
for (let i = 0; i < argv.length; i += 2) {
  const name = (argv[i] ?? "").replace(/^--/, "");
  const value = argv[i + 1] ?? "";
  if (name === "port") port = Number(value);
  else if (name === "host") host = value;
  else if (!setDirective(defaults, name, value)) {
    console.error(`unknown option ${argv[i]}`);
    process.exit(2);
  }
}

const server = await createModelServer({ defaults }).listen(port, host);
console.log(JSON.stringify({ ready: true, port: server.port }));
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void server.close().then(() => process.exit(0)));
