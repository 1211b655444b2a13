/**
 * Preloaded into every process that a benchmark starts (`--import`): answers how much processor time and memory the process
 * has used, and ends it when the benchmark is gone.
 */
const ORPHAN_MS = 3_000;

process.on("message", (message: { readonly type?: string }) => {
  if (message.type !== "usage") return;
  // Only there with --expose-gc; twice, because the first pass only marks some of what streams leave behind.
  for (let pass = 0; pass < 2; pass++) (globalThis as { gc?: () => void }).gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ type: "usage", cpuUs: user + system, rss, heapUsed, external });
});
process.on("disconnect", () => setTimeout(() => process.exit(0), ORPHAN_MS).unref());
