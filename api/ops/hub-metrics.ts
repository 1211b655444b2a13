import { Counter, Gauge, type Registry } from "prom-client";

/** What the hub of an api does, as it is when Prometheus asks. */
export const addHubMetrics = (registry: Registry, hub: { readonly stats: HubFigures }): void => {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read());
      },
    });
  };
  const counter = (name: string, help: string, read: () => number): void => {
    let told = 0;
    new Counter({
      ...{ name, help, registers },
      collect() {
        const now = read();
        this.inc(now - told);
        told = now;
      },
    });
  };
  gauge("talaria_hub_followers", "Followers of sessions, over all streams", () => hub.stats.followers);
  gauge("talaria_hub_sessions", "Sessions that are followed", () => hub.stats.sessions);
  counter(
    "talaria_hub_events_total",
    "Events read for followers, once for all of them",
    () => hub.stats.entriesRead,
  );
  counter(
    "talaria_hub_evicted_total",
    "Events that left the memory for followers; who is behind them reads the journal",
    () => hub.stats.evicted,
  );
  counter(
    "talaria_hub_history_reads_total",
    "Pages read for followers that were behind",
    () => hub.stats.historyReads,
  );
};

interface HubFigures {
  readonly followers: number;
  readonly sessions: number;
  readonly entriesRead: number;
  readonly evicted: number;
  readonly historyReads: number;
}
