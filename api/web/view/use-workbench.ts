import { createContext, useContext, useSyncExternalStore } from "react";
import type { AppState } from "../model/app-state.ts";
import type { Workbench } from "../model/workbench.ts";

export const WorkbenchContext = createContext<Workbench | null>(null);

export const useWorkbench = (): Workbench => {
  const workbench = useContext(WorkbenchContext);
  if (workbench === null) throw new Error("no workbench above this view");
  return workbench;
};

/** The whole state; it is one immutable value, so a change of any part draws from the top, and memo stops it below. */
export const useAppState = (): AppState => {
  const workbench = useWorkbench();
  return useSyncExternalStore(workbench.subscribe, workbench.getState);
};
