/** A session that is measured. */
export interface BenchSession {
  readonly id: string;
  /** Its id in state.db. */
  readonly storeId: string;
}
