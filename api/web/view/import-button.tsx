import { useRef } from "react";
import { UploadIcon } from "./icons.tsx";
import { useWorkbench } from "./use-workbench.ts";

/** Takes a session that was exported as JSON. */
export const ImportButton = () => {
  const workbench = useWorkbench();
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        className="icon-button framed"
        type="button"
        aria-label="Import a session"
        title="Import a session (JSON)"
        onClick={() => field.current?.click()}
      >
        <UploadIcon />
      </button>
      <input
        ref={field}
        type="file"
        accept=".json,application/json"
        hidden
        aria-label="File to import"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = ""; // the same file can be chosen again
          if (file !== undefined) void file.text().then((text) => workbench.importFile(text));
        }}
      />
    </>
  );
};
