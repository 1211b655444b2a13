/** Every Redis key and channel of a deployment. The braces keep a session's keys in one cluster slot. */
export interface Keys {
  readonly prefix: string;
  /** Stream: the session's journal. */
  log(sessionId: string): string;
  /** Hash: fence, newest number, newest entry. */
  head(sessionId: string): string;
  /** Sorted set: the session's runs that the stream still holds, by first seq. */
  runs(sessionId: string): string;
  /** Hash: what the journal knows of a run. */
  run(sessionId: string, runId: string): string;
  /** Capped stream: session-list hints of all processes. */
  readonly hints: string;
  /** Stream of one entry: wakes the blocking read of one hub. */
  hub(hubId: string): string;
  /** Pub/sub channel: requests to processes, as hints only. */
  readonly control: string;
  /** Pub/sub channel: names of queues that got a job, as hints only. */
  readonly work: string;
  /** Hash: which workers there are, and what each says of itself. */
  readonly workers: string;
  /** String: this worker was told to drain. */
  drain(worker: string): string;
  /** Hash: what each worker counts of itself, for /metrics. */
  readonly figures: string;
}

/** Keys of the deployment `prefix`; deployments that share a server differ in it. */
export const createKeys = (prefix: string): Keys => {
  const session = (id: string): string => `${prefix}:{${id}}`;
  return {
    prefix,
    log: (sessionId) => `${session(sessionId)}:log`,
    head: (sessionId) => `${session(sessionId)}:head`,
    runs: (sessionId) => `${session(sessionId)}:runs`,
    run: (sessionId, runId) => `${session(sessionId)}:run:${runId}`,
    hints: `${prefix}:hints`,
    hub: (hubId) => `${prefix}:hub:${hubId}`,
    control: `${prefix}:control`,
    work: `${prefix}:work`,
    workers: `${prefix}:workers`,
    drain: (worker) => `${prefix}:drain:${worker}`,
    figures: `${prefix}:figures`,
  };
};
