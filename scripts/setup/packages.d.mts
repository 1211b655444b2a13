export const ROOT: string;
export function pinnedNode(root?: string): string;
export function isPinnedVersion(root?: string): boolean;
export function packagesAreCurrent(root?: string): boolean;
