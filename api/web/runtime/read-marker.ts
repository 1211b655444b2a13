import { unreadInView } from "../model/turn-actions.ts";
import type { Surroundings } from "../net/event-connection.ts";
import type { Api } from "../net/http.ts";
import type { Store } from "./store.ts";

/** Marks the session in view as read, once for each time that there is something unread (a failure is not repeated). */
export const createReadMarker = ({
  api,
  store,
  surroundings,
  cameBack,
}: {
  readonly api: Api;
  readonly store: Store;
  readonly surroundings: Pick<Surroundings, "hidden" | "onReturn">;
  /** Told before they are marked. */
  readonly cameBack: (id: string, unread: number) => void;
}) => {
  let marking = false;
  let asked = "";

  const check = (): void => {
    const unread = marking ? null : unreadInView(store.state(), surroundings.hidden());
    if (unread === null || unread.key === asked) return;
    asked = unread.key;
    marking = true;
    cameBack(unread.id, unread.count);
    api
      .markRead(unread.id)
      .then(
        ({ session }) => store.took(session),
        () => undefined, // the mark is a comfort; the next message asks again
      )
      .finally(() => {
        marking = false;
        check();
      });
  };
  surroundings.onReturn(check);
  return { check };
};
