/** Folders on their way out, and on their way in; no profile can have such a name. */
export const TRASH = ".trash-";
export const FRESH = ".new-";
