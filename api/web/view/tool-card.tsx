import { memo, useState } from "react";
import type { ToolCard, ToolState } from "../model/timeline.ts";
import { ChevronIcon, WrenchIcon } from "./icons.tsx";

const LABEL: Record<ToolState, string> = {
  running: "running",
  done: "done",
  failed: "failed",
  stopped: "stopped",
  unknown: "outcome unknown",
};

export const ToolCardView = memo(
  function ToolCardView({ card }: { readonly card: ToolCard }) {
    const [shown, setShown] = useState(false);
    return (
      <div className="card tool" data-state={card.state} data-message={card.at}>
        <button className="card-head" type="button" aria-expanded={shown} onClick={() => setShown(!shown)}>
          <WrenchIcon />
          <code className="card-name">{card.name}</code>
          <span className="card-preview">{shown ? "" : argsPreview(card.args)}</span>
          {card.duration !== null && <span className="card-duration">{durationOf(card.duration)}</span>}
          <span className="badge" data-state={card.state}>
            {card.state === "running" && <span className="spinner small" aria-hidden="true" />}
            {LABEL[card.state]}
          </span>
          <ChevronIcon />
        </button>
        {shown && (
          <div className="card-body">
            <h3>Arguments</h3>
            <pre>{card.args}</pre>
            {card.result !== null && (
              <>
                <h3>Result</h3>
                <pre>{card.result === "" ? "(empty)" : card.result}</pre>
              </>
            )}
            {card.state === "unknown" && (
              <p className="turn-note">
                The worker was lost while this ran. It was not run again, and the model knows that the outcome
                is unknown.
              </p>
            )}
          </div>
        )}
      </div>
    );
  },
  (a, b) => JSON.stringify(a.card) === JSON.stringify(b.card),
);

/** The arguments on one line, without the braces. */
const argsPreview = (args: string): string => {
  const flat = args.slice(0, 400).replace(/\s+/g, " ").trim();
  return flat === "{}" ? "" : flat.replace(/^\{ ?/, "").replace(/ ?\}$/, "").slice(0, 160);
};

const durationOf = (seconds: number): string => {
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
};
