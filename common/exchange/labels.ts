import type { Message } from "../contracts/message.ts";
import type { Session } from "../contracts/session.ts";
import { cleanLine, timeText } from "./text.ts";

/** Who speaks, in words; a tool's result names its tool. */
export const speakerOf = (message: Message): string => {
  // Nobody typed it (background-jobs B-38).
  if (message.source !== undefined) return "Background notice";
  switch (message.role) {
    case "user":
      return "User";
    case "assistant":
      return "Assistant";
    case "tool": {
      const name = cleanLine(message.tool_name ?? "");
      return name === "" ? "Tool result" : `Tool result: ${name}`;
    }
    case "notice":
      return "Notice";
    default:
      return message.role satisfies never;
  }
};

/** What a reader should know of how the message ended; null for a complete one. */
export const outcomeOf = (message: Message): string | null => {
  if (message.role === "notice") return null;
  if (message.status !== "complete") return message.status;
  return message.is_error === true ? "error" : null;
};

export const titleOf = (session: Session): string => cleanLine(session.title ?? "") || "Untitled session";

/** What is told of the session below its title, in order. */
export const factsOf = (session: Session, nowS: number): readonly (readonly [string, string])[] => [
  ["Session", session.id],
  ["Profile", session.profile],
  ...(session.model === null ? [] : ([["Model", cleanLine(session.model)]] as const)),
  ["Source", cleanLine(session.source)],
  ["Created", timeText(session.created_at)],
  ["Updated", timeText(session.updated_at)],
  ["Exported", timeText(nowS)],
];
