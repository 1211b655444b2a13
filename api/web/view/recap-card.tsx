import type { Recap } from "../../../common/contracts/recap.ts";
import { recapName } from "../model/recaps.ts";
import { Bullets } from "./bullets.tsx";

const TITLES = { recap: "Recap", handoff: "Hand-off" } as const;

/** What the conversation was about. It stands between the messages and is none; its text is plain. */
export const RecapCard = ({ recap }: { readonly recap: Recap }) => (
  <aside className="recap-card" aria-label={TITLES[recap.kind]} data-message={recapName(recap)}>
    <h2>{TITLES[recap.kind]}</h2>
    <Bullets texts={recap.bullets} />
    <p className="turn-note">
      {recap.generated_by === "model"
        ? "Only for you: the assistant does not see this."
        : "The last words of both sides: no model could be asked. The assistant does not see this."}
    </p>
  </aside>
);
