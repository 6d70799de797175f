import type { Database } from '../db/database.ts'
import type { Clock } from '../kernel/clock.ts'
import type { NewId } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'

export interface AccessDeps {
  readonly db: Database
  readonly clock: Clock
  readonly newId: NewId
  readonly randomBytes: (size: number) => Uint8Array
  readonly logger: Logger
  /** From one address, before it is told to wait. Default 60. */
  readonly badTokensPerMinute?: number
}
