/** The database as stores see it: a query function, inside a transaction or not. SQL is written in stores only. */
export interface Queryable {
  /** Runs one statement with `$1…` parameters. Rows come back with the column names of the statement. */
  query<Row extends object = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>
}

export interface Transaction extends Queryable {
  /** Runs after the commit, in order; never when the transaction rolls back. For hints such as waking a loop. */
  afterCommit(effect: () => void): void
}

export interface Database extends Queryable {
  /**
   * Runs `body` in one transaction at READ COMMITTED; a thrown error rolls back and is thrown on. Serialization failures
   * and deadlocks are tried again, up to three times, so `body` must have no effect outside the transaction.
   */
  transaction<T>(body: (tx: Transaction) => Promise<T>): Promise<T>
  /** Calls back on every NOTIFY of the channel, on a connection that is made again when it is lost. A hint, never the truth. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>
  close(): Promise<void>
}
