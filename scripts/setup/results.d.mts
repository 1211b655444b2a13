export interface Counts {
  readonly passed: number;
  readonly failed: number;
}
export function recordResult(result: Counts & { readonly name: string }): void;
export function readJestReport(file: string): Counts | null;
export function crashedFiles(file: string): readonly string[];
export function readClosingLine(output: string): Counts | null;
export function sumResults(file: string): Counts;
