import type { GroupTimes } from "./protocol.ts";

/** Who hears how a store's thread fares. Called for every group of calls: it must cost next to nothing. */
export interface StoreObserver {
  /** `pending`: calls that are not answered yet. */
  opened(pending: () => number): void;
  group(times: GroupTimes): void;
}
