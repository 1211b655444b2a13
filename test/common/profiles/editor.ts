import { join } from "node:path";
import { createProfileStore } from "../../../common/profiles/store.ts";

/** A process that edits one profile as fast as it can: `editor.ts <home> <tag> <count>`; begins when it is told to. */
const [home = "", tag = "", count = "0"] = process.argv.slice(2);
const lockFile = join(home, "talaria", "profiles.lock");
const store = createProfileStore({ home, lockFile, salt: new Uint8Array(32) });

process.on("SIGUSR2", async () => {
  for (let i = 0; i < Number(count); i++) {
    await store.setKey("a", `KEY_${tag}_${i}`, `value-${i}`);
    await store.patch("a", { agent: { max_steps: i + 1 }, ...(tag === "1" ? { bot_name: `bot ${i}` } : {}) });
  }
  process.stdout.write("all saved\n");
});
process.send?.({ type: "ready" });
// Neither a signal's listener nor an unused channel keeps a process alive.
setInterval(() => {}, 1_000);
