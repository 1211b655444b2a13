import type { UpdateSummary, UpdateTarget } from "../../../common/contracts/update.ts";

export interface UpdatesState {
  /** Parts that lack something; empty: nothing newer is known. */
  readonly targets: readonly UpdateTarget[];
  /** The dialog is open. */
  readonly open: boolean;
  readonly summary: UpdateSummary | null;
  /** Why there is no text. */
  readonly problem: string | null;
}

/** What is new in versions that do not run yet. */
export interface Updates {
  getState(): UpdatesState;
  subscribe(listener: () => void): () => void;
  /** Looks, without the network, whether anything is known. */
  look(): void;
  /** Opens the dialog and has it told; also after it failed. */
  open(): void;
  close(): void;
}

/** What is said of how the text came about; null: a model told it just now. */
export const originText = ({ generated_by, cached, reason }: UpdateSummary): string | null => {
  if (generated_by === "fallback")
    return reason === "disabled"
      ? "Taken from the changes as they are: summaries are off in this profile."
      : "Taken from the changes as they are: no model could be asked. It is tried again in a few minutes.";
  return cached ? "Told before." : null;
};

/** How much is new, in a few words. */
export const sizeText = (targets: readonly UpdateTarget[]): string => {
  const behind = targets.reduce((sum, target) => sum + target.behind, 0);
  return behind === 1 ? "1 change" : `${behind} changes`;
};
