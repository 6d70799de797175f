import type { Database } from '../db/database.ts'
import type { Clock } from '../kernel/clock.ts'
import type { NewId } from '../kernel/ids.ts'
import type { Work } from '../work/work.ts'
import type {
  ConfigChanged,
  EnvironmentDeleted,
  Remains,
  RepositoryFolder,
  RouteAcknowledgements,
  Secrets,
} from './ports.ts'

export interface AppsDeps {
  readonly db: Database
  readonly clock: Clock
  readonly newId: NewId
  readonly work: Work
  readonly secrets: Secrets
  readonly repositories: RepositoryFolder
  readonly configChanged: ConfigChanged
  readonly environmentDeleted: EnvironmentDeleted
  readonly remains: Remains
  readonly routes: RouteAcknowledgements
  readonly site: Site
}

/** Where apps answer. */
export interface Site {
  /** GANTRY_DOMAIN. */
  readonly domain: string
  /** GANTRY_HTTP_PORT. */
  readonly httpPort: number
}
