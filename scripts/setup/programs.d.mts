export const CHROMIUM_NAMES: readonly string[];
export function findProgram(names: readonly string[], path?: string): string | null;
