import { useState } from "react";
import type { ContextInfo } from "../../../common/contracts/context.ts";
import { tokensText } from "../model/compression.ts";
import { useWorkbench } from "./use-workbench.ts";

/** Where what the model gets as a summary ends; what people see goes on unbroken. */
export const ContextDivider = (props: { readonly sessionId: string; readonly context: ContextInfo }) => {
  const { context, sessionId } = props;
  const workbench = useWorkbench();
  const [summary, setSummary] = useState<string | null>(null);
  const { tokens_before: before, tokens_after: after } = context;
  return (
    <details
      className="context-divider"
      onToggle={(event) => {
        if (!event.currentTarget.open || summary !== null) return;
        void workbench.compression.summary(sessionId, context.version).then(setSummary);
      }}
    >
      <summary>Context compressed: {tokensText({ before, after })}</summary>
      <div className="context-summary">
        <p>
          In place of the {context.covered_count} messages above the model gets this summary.
          {context.focus !== null && ` Focus: ${context.focus}`}
        </p>
        <pre>{summary ?? "…"}</pre>
      </div>
    </details>
  );
};
