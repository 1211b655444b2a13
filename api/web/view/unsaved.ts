import { createContext, useContext, useEffect, useId } from "react";

/** The parts of a dialog that hold something not saved yet; asked before it is left. */
export const UnsavedContext = createContext<Set<string>>(new Set());

/** Marks the part that calls as unsaved while `is` holds. */
export const useUnsaved = (is: boolean): void => {
  const parts = useContext(UnsavedContext);
  const id = useId();
  useEffect(() => {
    if (!is) return;
    parts.add(id);
    return () => {
      parts.delete(id);
    };
  }, [parts, id, is]);
};
