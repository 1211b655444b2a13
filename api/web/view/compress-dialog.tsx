import { useEffect, useRef, useState } from "react";
import type { CompressPreview } from "../../../common/contracts/context.ts";
import { tokensText } from "../model/compression.ts";
import { Dialog } from "./dialog.tsx";
import { Field } from "./field.tsx";
import { Refusal } from "./refusal.tsx";
import { useCommand } from "./use-command.ts";
import { useWorkbench } from "./use-workbench.ts";

const MAX_FOCUS = 500;

/** What a compression would do, with a focus for it, before anything is done (background-jobs 2.1). */
export const CompressDialog = (props: { readonly sessionId: string; readonly onClose: () => void }) => {
  const { sessionId } = props;
  const workbench = useWorkbench();
  const [preview, setPreview] = useState<CompressPreview | null>(null);
  const [focus, setFocus] = useState("");
  const { busy, problem, run } = useCommand();
  const look = useRef(run);
  useEffect(() => {
    void look
      .current(() => workbench.compression.preview(sessionId))
      .then((outcome) => {
        if (outcome.ok) setPreview(outcome.value);
      });
  }, [workbench, sessionId]);
  const start = async (close: () => void): Promise<void> => {
    if ((await run(() => workbench.compression.start(sessionId, focus.trim()))).ok) close();
  };
  const nothing = preview !== null && preview.summarised === 0;

  return (
    <Dialog title="Compress the conversation" onClose={props.onClose}>
      {(close) => (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void start(close);
          }}
        >
          <p>
            The model gets a summary in place of the older messages, and has room again. The conversation here
            stays as it is.
          </p>
          <dl className="compress-figures" aria-busy={preview === null && problem === null}>
            <div>
              <dt>Context now</dt>
              <dd>{preview === null ? "…" : `${preview.tokens_before.toLocaleString("en-US")} tokens`}</dd>
            </div>
            <div>
              <dt>Afterwards, about</dt>
              <dd>{preview === null ? "…" : `${preview.tokens_after.toLocaleString("en-US")} tokens`}</dd>
            </div>
            <div>
              <dt>Messages</dt>
              <dd>{preview === null ? "…" : `${preview.summarised} summarised, ${preview.kept} kept`}</dd>
            </div>
          </dl>
          {preview !== null && preview.threshold_tokens !== null && (
            <p className="field-hint">
              It happens by itself from {preview.threshold_tokens.toLocaleString("en-US")} of{" "}
              {preview.context_length.toLocaleString("en-US")} tokens on.
            </p>
          )}
          {nothing && <p role="status">There is nothing to summarise yet.</p>}
          {preview !== null && !nothing && preview.tokens_after >= preview.tokens_before && (
            <p role="status">
              It would hardly get shorter (
              {tokensText({ before: preview.tokens_before, after: preview.tokens_after })}).
            </p>
          )}
          <Field label="Focus (optional)" hint="A topic that the summary must keep above all.">
            {(control) => (
              <input
                {...control}
                className="input"
                type="text"
                maxLength={MAX_FOCUS}
                value={focus}
                onChange={(event) => setFocus(event.target.value)}
              />
            )}
          </Field>
          {problem !== null && <Refusal problem={problem} />}
          <div className="dialog-actions">
            <button className="button" type="button" onClick={close}>
              Keep
            </button>
            <button className="button primary" type="submit" disabled={busy || preview === null || nothing}>
              Compress
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
};
