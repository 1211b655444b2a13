import { memo } from "react";
import type { StatusLine } from "../model/status-line.ts";

/** Where things stand, in one line; read aloud, politely, when it changes. */
export const StateLine = memo(function StateLine({ status }: { readonly status: StatusLine }) {
  return (
    <div className="state-line" data-tone={status.tone} role="status" aria-live="polite">
      {(status.tone === "busy" || status.tone === "waiting") && <span className="pulse" aria-hidden="true" />}
      <span>{status.text}</span>
    </div>
  );
});
