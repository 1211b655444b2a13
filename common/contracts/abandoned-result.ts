/** What the transcript and the model get as the result of a tool call without one. */
export const abandonedResult = (outcome: "stopped" | "unknown"): string =>
  outcome === "stopped"
    ? "The call was stopped before it finished."
    : "The outcome of this call is unknown: the program that ran it ended before it could tell.";
