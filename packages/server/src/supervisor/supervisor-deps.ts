import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { SpawnArgv } from '../kernel/spawn-argv.ts'
import type { BuildIdentity } from './build-identity.ts'
import type { Tell } from './events.ts'
import type { Home } from './home/folders.ts'
import type { SupervisorSettings } from './settings.ts'
import type { PlatformUsers } from './users.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A program's file and arguments. */
export interface ProgramCommand {
  readonly file: string
  readonly args: readonly string[]
}

export interface SupervisorDeps {
  readonly environment: Environment
  /** Undefined as an ordinary user. */
  readonly users: PlatformUsers | undefined
  readonly identity: BuildIdentity
  /** How each part of the platform is started; `supervisor` is this very program. */
  readonly commandOf: (part: 'supervisor' | 'control-plane' | 'router') => ProgramCommand
  readonly clock: Clock
  readonly randomBytes: (size: number) => Uint8Array
  readonly spawn: SpawnArgv
  readonly tell: Tell
  /** Ends this process. */
  readonly exit: (code: number) => void
}

/** What is known once the home is ours. */
export interface SupervisorContext extends SupervisorDeps {
  readonly settings: SupervisorSettings
  readonly home: Home
  readonly log: Logger
}
