/** Why an execution is stopped from outside. "hand_back": the worker shuts down and another one goes on. */
export type StopKind = "cancel" | "hand_back";

/** The reason of an execution's abort signal. */
export class RunStop extends Error {
  readonly kind: StopKind;

  constructor(kind: StopKind) {
    super(`the run is stopped: ${kind}`);
    this.name = "RunStop";
    this.kind = kind;
  }
}
