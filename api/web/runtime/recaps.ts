import type { RecapKind } from "../../../common/contracts/recap.ts";
import type { Workbench } from "../model/workbench.ts";
import type { Api } from "../net/http.ts";
import { createTakeJob } from "./jobs.ts";
import type { Store } from "./store.ts";

/** Fewer messages cannot be ten rounds. */
const WORTH_ASKING = 20;
/** What is marked as read within this time of coming back came before; it may be told in several events. */
const COMING_BACK_MS = 10_000;

/** Recaps: offered to who comes back after long, made and given up on request. */
export const createRecaps = ({
  api,
  store,
  now,
}: {
  readonly api: Api;
  readonly store: Store;
  /** Milliseconds of any clock that only goes on. */
  readonly now: () => number;
}): Pick<Workbench, "makeRecap" | "cancelRecap" | "closeOffer"> & {
  /** So many messages of the session in view were unread until now. */
  cameBack(id: string, unread: number): void;
} => {
  const takeJob = createTakeJob(store);
  let visit = { id: "", since: 0, unread: 0 };
  return {
    cameBack(id, unread) {
      const goesOn = visit.id === id && now() - visit.since < COMING_BACK_MS;
      visit = { id, since: goesOn ? visit.since : now(), unread: (goesOn ? visit.unread : 0) + unread };
      if (visit.unread < WORTH_ASKING) return;
      api.recapOffer(id, visit.unread).then(
        ({ offered }) => offered && store.act(id, { type: "recap_offer", offer: true }),
        () => undefined, // it is also in the session's menu
      );
    },
    makeRecap(id, kind: RecapKind) {
      api.makeRecap(id, kind).then(
        ({ job }) => store.act(id, { type: "recap_asked", job }),
        (error: unknown) => store.report("No recap was made.", error),
      );
    },
    cancelRecap: (id, jobId) => takeJob(id, "The recap was not given up.", api.cancelJob(jobId)),
    closeOffer: (id) => store.act(id, { type: "recap_offer", offer: false }),
  };
};
