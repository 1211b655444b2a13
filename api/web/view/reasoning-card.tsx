import { memo, useState } from "react";
import { ChevronIcon, ThoughtIcon } from "./icons.tsx";

/** The model's reasoning: its last line while it thinks, the whole of it on request. */
export const ReasoningCard = memo(function ReasoningCard(props: {
  readonly text: string;
  readonly open: boolean;
}) {
  const [shown, setShown] = useState(false);
  return (
    <div className="card reasoning" data-state={props.open ? "running" : "done"}>
      <button className="card-head" type="button" aria-expanded={shown} onClick={() => setShown(!shown)}>
        <ThoughtIcon />
        <span className="card-name">{props.open ? "Thinking…" : "Thought"}</span>
        <span className="card-preview">{shown ? "" : previewOf(props.text, props.open)}</span>
        <ChevronIcon />
      </button>
      {shown && <div className="card-body prose">{props.text}</div>}
    </div>
  );
});

const PREVIEW = 160;
const previewOf = (text: string, open: boolean): string => {
  const flat = (open ? text.slice(-PREVIEW * 2) : text.slice(0, PREVIEW * 2)).replace(/\s+/g, " ").trim();
  return open ? flat.slice(-PREVIEW) : flat.slice(0, PREVIEW);
};
