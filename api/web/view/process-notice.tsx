import type { Message } from "../../../common/contracts/message.ts";
import { processPartsOf } from "../../../common/contracts/process-part.ts";
import { AlertIcon, PulseIcon } from "./icons.tsx";
import { Notice } from "./notice.tsx";

/** A message that stands for ended background processes: nobody typed it, and it does not look as if (background-jobs B-38). */
export const ProcessNotice = ({ message }: { readonly message: Message }) => {
  const parts = processPartsOf(message);
  if (parts.length === 0) return <Notice markdown={message.content} tone="info" />;
  return (
    <div className="process-notices" data-message={message.id}>
      {parts.map((part) => (
        <aside
          key={part.process_id}
          className="notice"
          data-tone={part.failed ? "warning" : "info"}
          aria-label="Background notice"
        >
          {part.failed ? <AlertIcon /> : <PulseIcon />}
          <div>
            <p>
              <strong>Background process ended:</strong> <code>{part.command}</code>, {part.outcome}
            </p>
            {part.output !== "" && (
              <details className="details">
                <summary>Output</summary>
                <pre>{part.output}</pre>
              </details>
            )}
          </div>
        </aside>
      ))}
    </div>
  );
};
